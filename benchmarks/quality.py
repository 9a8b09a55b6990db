"""What the bundled model is worth on photos that it never saw: the tables of docs/models.md.

    LOOKALIKE_DATA=FOLDER python -m benchmarks.quality

`FOLDER/clothing/train` and `FOLDER/clothing/validation` hold a folder of photos for each kind.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.embedder.decode import decode
from services.embedder.model import BUNDLED, Model, load
from shared.hits import DEFAULT_BLEND
from shared.spaces import SPACES, SpaceName
from shared.vectors import Floats, blended

Pixels = NDArray[Any]
SAMPLE: Final = 300


def saved_badly(pixels: Pixels) -> Pixels:
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))


def cropped(pixels: Pixels) -> Pixels:
    height, width = (round(side * 0.05) for side in pixels.shape[:2])
    return pixels[height:-height, width:-width]


def smaller(pixels: Pixels) -> Pixels:
    return cv2.resize(pixels, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)


def turned(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    return cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


CHANGES: Final[Mapping[str, Callable[[Pixels], Pixels]]] = {
    "saved as JPEG of quality 40": saved_badly,
    "cropped by 10 %": cropped,
    "scaled to .8": smaller,
    "turned by 5°": turned,
}


def read(paths: Sequence[Path]) -> list[Pixels]:
    return [decode(path.read_bytes()).pixels for path in paths]


def raw_pixels(pictures: Sequence[Pixels]) -> Floats:
    """The baseline: 16 by 16 pixels as a vector."""
    small = [cv2.resize(one, (16, 16), interpolation=cv2.INTER_AREA) for one in pictures]
    flat = np.stack(small).reshape(len(small), -1).astype(np.float32)
    lengths: Floats = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / lengths


def leave_one_out(vectors: Floats, kinds: NDArray[np.str_], queries: Floats | None = None) -> float:
    """The share of pictures whose nearest other one is of the same kind."""
    likeness = (vectors if queries is None else queries) @ vectors.T
    np.fill_diagonal(likeness, -2)
    return float((kinds[likeness.argmax(axis=1)] == kinds).mean())


def _vectors(model: Model, pictures: Sequence[Pixels]) -> Floats:
    return np.stack([model.vector(picture) for picture in pictures])


def _queries(model: Model, vectors: Floats, weights: Mapping[SpaceName, float]) -> Floats:
    return np.stack([blended(vector, model.spaces, weights) for vector in vectors])


def same_kind(model: Model, folder: Path) -> None:
    paths = sorted(folder.rglob("*.jpg"))
    kinds = np.array([path.parent.name for path in paths])
    pictures = read(paths)
    vectors = _vectors(model, pictures)
    print(f"nearest other of {len(paths)} photos is of the same kind:")
    blends: dict[str, Mapping[SpaceName, float]] = {name: {name: 1.0} for name in SPACES}
    for name, weights in (blends | {"default blend": DEFAULT_BLEND}).items():
        share = leave_one_out(vectors, kinds, _queries(model, vectors, weights))
        print(f"  {name:14} {share:.3f}")
    print(f"  {'raw pixels':14} {leave_one_out(raw_pixels(pictures), kinds):.3f}")
    chance = float(np.mean([(kinds == kind).mean() for kind in kinds]))
    print(f"  {'chance':14} {chance:.3f}")


def found_again(model: Model, folder: Path) -> None:
    paths = sorted(folder.rglob("*.jpg"))
    pictures = read(paths[:: len(paths) // SAMPLE][:SAMPLE])
    originals = _vectors(model, pictures)
    print(f"the same picture first of {len(pictures)} after a change, by the default blend:")
    for name, change in CHANGES.items():
        changed = _vectors(model, [change(picture) for picture in pictures])
        nearest = (_queries(model, changed, DEFAULT_BLEND) @ originals.T).argmax(axis=1)
        print(f"  {name:28} {(nearest == np.arange(len(pictures))).mean():.3f}")


def main() -> int:
    data = os.environ.get("LOOKALIKE_DATA")
    if not data:
        print("LOOKALIKE_DATA names no folder with photos.", file=sys.stderr)
        return 2
    model = load(BUNDLED / "descriptor")
    same_kind(model, Path(data) / "clothing" / "validation")
    found_again(model, Path(data) / "clothing" / "train")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
