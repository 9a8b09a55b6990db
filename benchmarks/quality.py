"""What models are worth on photos: the table of docs/models.md.

    LOOKALIKE_DATA=FOLDER python -m benchmarks.quality [MODEL_FOLDER …]

Without folders, the bundled ones. `FOLDER/clothing/train`, `FOLDER/clothing/validation` and
`FOLDER/grocery/train` hold a folder of photos for each kind, `FOLDER/fashion-mnist` its four files.
"""

import gzip
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.embedder.decode import decode
from services.embedder.model import Model, load
from services.embedder.registry import bundled
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


def of_its_kind(
    vectors: Floats, kinds: NDArray[np.str_], count: int, queries: Floats | None = None
) -> Floats:
    """Photo by photo, the share of so many nearest others that are of the same kind."""
    likeness = (vectors if queries is None else queries) @ vectors.T
    np.fill_diagonal(likeness, -2)
    nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
    shares: Floats = (kinds[nearest] == kinds[:, None]).mean(axis=1, dtype=np.float32)
    return shares


def leave_one_out(vectors: Floats, kinds: NDArray[np.str_]) -> float:
    """The share of pictures whose nearest other one is of the same kind."""
    return float(of_its_kind(vectors, kinds, 1).mean())


def of_ten(vectors: Floats, kinds: NDArray[np.str_]) -> float:
    """The share of the ten nearest others that are of the same kind."""
    return float(of_its_kind(vectors, kinds, 10).mean())


def answered(
    answers: Floats, kinds: NDArray[np.str_], queries: Floats, wanted: NDArray[np.str_]
) -> Floats:
    """Query by query, 1 where the nearest answer is of the wanted kind, else 0."""
    right: Floats = (kinds[(queries @ answers.T).argmax(axis=1)] == wanted).astype(np.float32)
    return right


def nearest_kind(
    answers: Floats, kinds: NDArray[np.str_], queries: Floats, wanted: NDArray[np.str_]
) -> float:
    """The share of queries whose nearest answer is of the wanted kind."""
    return float(answered(answers, kinds, queries, wanted).mean())


def vectors_of(model: Model, pictures: Iterable[Pixels]) -> Floats:
    return np.stack([model.vector(picture) for picture in pictures])


def content_of(model: Model, pictures: Iterable[Pixels]) -> Floats:
    return vectors_of(model, pictures)[:, model.spaces.slices()["content"]]


def queries_of(model: Model, vectors: Floats, weights: Mapping[SpaceName, float]) -> Floats:
    return np.stack([blended(vector, model.spaces, weights) for vector in vectors])


def photos(folder: Path) -> tuple[Iterator[Pixels], NDArray[np.str_]]:
    """One after the other, and the kind of each: its folder's path."""
    paths = sorted(folder.rglob("*.jpg"))
    kinds = np.array([path.parent.relative_to(folder).as_posix() for path in paths])
    return (decode(path.read_bytes()).pixels for path in paths), kinds


def clothes(model: Model, data: Path) -> dict[str, float]:
    """Photos of `validation`, each by its nearest in `train`, by space and by the default blend."""
    known, kinds = photos(data / "clothing" / "train")
    asked, wanted = photos(data / "clothing" / "validation")
    answers, queries = vectors_of(model, known), vectors_of(model, asked)
    blends: dict[str, Mapping[SpaceName, float]] = {name: {name: 1.0} for name in SPACES}
    return {
        f"clothes, {name}": nearest_kind(
            answers, kinds, queries_of(model, queries, weights), wanted
        )
        for name, weights in (blends | {"default blend": DEFAULT_BLEND}).items()
    }


def groceries(model: Model, data: Path) -> dict[str, float]:
    pictures, kinds = photos(data / "grocery" / "train")
    content = content_of(model, pictures)
    return {
        "groceries, nearest": leave_one_out(content, kinds),
        "groceries, ten nearest": of_ten(content, kinds),
    }


def fashion_mnist(data: Path, most: int = 3000) -> tuple[Iterator[Pixels], NDArray[np.str_]]:
    """28 pixels and grey: nothing like it was learnt from."""
    folder = data / "fashion-mnist"
    pixels = _idx(folder / "train-images-idx3-ubyte.gz")[:most]
    kinds = _idx(folder / "train-labels-idx1-ubyte.gz")[:most].astype(str)
    return (np.repeat(255 - one[:, :, None], 3, 2) for one in pixels), kinds


def drawings_of_clothes(model: Model, data: Path) -> dict[str, float]:
    pictures, kinds = fashion_mnist(data)
    return {"28 grey pixels, ten nearest": of_ten(content_of(model, pictures), kinds)}


def _idx(path: Path) -> NDArray[np.uint8]:
    data = gzip.decompress(path.read_bytes())
    sizes = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes)


def found_again(model: Model, data: Path) -> dict[str, float]:
    """By content and by the default blend: the same picture first of 300 after a change."""
    paths = sorted((data / "clothing" / "train").rglob("*.jpg"))
    pictures = read(paths[:: len(paths) // SAMPLE][:SAMPLE])
    originals = vectors_of(model, pictures)
    own = np.arange(len(pictures)).astype(str)
    found = {}
    for name, change in CHANGES.items():
        changed = vectors_of(model, [change(picture) for picture in pictures])
        blends: dict[str, Mapping[SpaceName, float]] = {"content": {"content": 1.0}}
        for blend, weights in (blends | {"default blend": DEFAULT_BLEND}).items():
            queries = queries_of(model, changed, weights)
            found[f"{name}, {blend}"] = nearest_kind(originals, own, queries, own)
    return found


def baselines(data: Path) -> dict[str, float]:
    known, kinds = photos(data / "clothing" / "train")
    asked, wanted = photos(data / "clothing" / "validation")
    chance = float(np.mean([(kinds == kind).mean() for kind in wanted]))
    answers, queries = raw_pixels(list(known)), raw_pixels(list(asked))
    return {"raw pixels": nearest_kind(answers, kinds, queries, wanted), "chance": chance}


def judged(model: Model, data: Path) -> dict[str, float]:
    return {
        name: value
        for judge in (clothes, groceries, drawings_of_clothes, found_again)
        for name, value in judge(model, data).items()
    }


def main() -> int:
    data = os.environ.get("LOOKALIKE_DATA")
    if not data:
        print("LOOKALIKE_DATA names no folder with photos.", file=sys.stderr)
        return 2
    folders = [Path(name) for name in sys.argv[1:]] or bundled()
    columns = {str(folder): judged(load(folder), Path(data)) for folder in folders}
    print(f"| | {' | '.join(Path(name).name for name in columns)} |\n|---{'|---' * len(columns)}|")
    for name in next(iter(columns.values())):
        print(f"| {name} | " + " | ".join(f"{one[name]:.3f}" for one in columns.values()) + " |")
    print("clothes by", ", ".join(f"{k} {v:.3f}" for k, v in baselines(Path(data)).items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
