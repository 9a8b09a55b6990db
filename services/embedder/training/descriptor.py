"""Makes the bundled descriptor: `python -m services.embedder.training.descriptor OUT`.

The honest small one: analytic filters (see `graph`) and two linear maps fitted in closed form on
things that the project draws itself. No downloaded weights, no photo of anybody's; the same seed
gives the same model.
"""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.embedder.model import (
    GOLDEN,
    GOLDEN_VECTORS,
    WEIGHTS,
    Manifest,
    Model,
    fingerprinted,
    verify,
    write_manifest,
)
from services.embedder.preprocess import Preprocessing
from services.embedder.training import graph
from services.embedder.training.drawings import (
    Pixels,
    draw,
    draw_palette,
    draw_pattern,
    draw_shape,
)
from services.embedder.training.fitting import LinearMap, discriminant
from shared.spaces import SpaceName

NAME, VERSION = "descriptor", "1"
CONTENT_DIM, STYLE_DIM, COLOUR_DIM = 128, 96, 96
_SEED = 7
_SHAPES, _VIEWS, _PATTERNS = 500, 12, 200
_GOLDEN_PICTURES = 4
_PREPROCESSING = Preprocessing(graph.SIDE, "letterbox")
_PROVENANCE = (
    "Oriented edges around the foreground (content), Gabor products (style) and a soft Lab "
    "histogram (colour). Content and style are linear discriminants fitted on "
    f"{_SHAPES * _VIEWS:,} pictures drawn by the project itself with seed {_SEED}; "
    "no other data and no weights of others went in."
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Framed drawings with the shape and the pattern that each shows."""

    pictures: Pixels
    shapes: NDArray[np.int64]
    patterns: NDArray[np.int64]


class Descriptor(tf.Module):  # type: ignore[misc]  # TensorFlow brings no types
    """The whole network: pictures to [content | style | colour]."""

    def __init__(self, content: LinearMap, style: LinearMap) -> None:
        super().__init__()
        self._maps = [_constants(content), _constants(style)]

    def __call__(self, pictures: Any) -> Any:
        content, style, colour = graph.looked_at(pictures)
        parts = [
            tf.linalg.matmul(raw, matrix) - shift
            for raw, (shift, matrix) in zip((content, style), self._maps, strict=True)
        ]
        return tf.concat([tf.nn.l2_normalize(part, -1) for part in (*parts, colour)], -1)


def draw_all(seed: int = _SEED) -> Drawn:
    """Every shape in several views, every view with a pattern and a palette of its own."""
    rng = np.random.default_rng(seed)
    patterns = [draw_pattern(rng) for _ in range(_PATTERNS)]
    pictures, worn = [], []
    for _ in range(_SHAPES):
        shape = draw_shape(rng)
        for _ in range(_VIEWS):
            worn.append(int(rng.integers(_PATTERNS)))
            drawing = draw(shape, patterns[worn[-1]], draw_palette(rng), rng)
            pictures.append(_PREPROCESSING(drawing))
    return Drawn(np.stack(pictures), np.arange(_SHAPES).repeat(_VIEWS), np.array(worn))


def fit(drawn: Drawn) -> Descriptor:
    """The two linear maps: content tells shapes apart, style tells patterns apart."""
    content, style = _features(drawn.pictures)
    return Descriptor(
        discriminant(content, drawn.shapes, CONTENT_DIM, shrink=1.0),
        discriminant(style, drawn.patterns, STYLE_DIM, shrink=0.1),
    )


def exported(descriptor: Descriptor) -> bytes:
    """The network as a LiteRT file: one picture a run, weights kept as float16."""
    shape = tf.TensorSpec((1, graph.SIDE, graph.SIDE, 3), tf.uint8)
    function = tf.function(descriptor.__call__).get_concrete_function(shape)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], descriptor)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def write(folder: Path, weights: bytes, golden: Pixels) -> Manifest:
    """The model's folder, whole; `golden` are pictures that every loader checks itself on."""
    (folder / GOLDEN).mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    manifest = _manifest(weights)
    write_manifest(folder, manifest)
    model = Model(manifest, weights)
    for number, picture in enumerate(golden):
        path = folder / GOLDEN / f"{number}.png"
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    np.save(folder / GOLDEN_VECTORS, np.stack([model.vector(picture) for picture in golden]))
    return verify(folder)


def _manifest(weights: bytes) -> Manifest:
    dims: dict[SpaceName, int] = {"content": CONTENT_DIM, "style": STYLE_DIM, "colour": COLOUR_DIM}
    return Manifest(
        name=NAME,
        version=VERSION,
        variant="fp32",
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        preprocessing=_PREPROCESSING,
        spaces=fingerprinted(weights, _PREPROCESSING, dims),
        provenance=_PROVENANCE,
        licence="Apache-2.0",
        sizes={WEIGHTS: len(weights)},
    )


def _features(pictures: Pixels, batch: int = 20) -> tuple[NDArray[Any], NDArray[Any]]:
    look = tf.function(graph.looked_at)
    found = [look(tf.constant(pictures[at : at + batch])) for at in range(0, len(pictures), batch)]
    content = np.concatenate([one[0].numpy() for one in found]).astype(np.float64)
    style = np.concatenate([one[1].numpy() for one in found]).astype(np.float64)
    return content, style


def _constants(fitted: LinearMap) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scaled to what float16 keeps well: the direction of a vector does not depend on it."""
    matrix = fitted.matrix / np.abs(fitted.matrix).max()
    matrix = matrix.astype(np.float16).astype(np.float64)
    return (fitted.middle @ matrix).astype(np.float32), matrix.astype(np.float32)


def main(out: Path) -> None:
    tf.config.experimental.enable_op_determinism()
    drawn = draw_all()
    every = len(drawn.pictures) // _GOLDEN_PICTURES
    manifest = write(out, exported(fit(drawn)), drawn.pictures[::every])
    sys.stdout.write(f"{out}: {manifest.sizes[WEIGHTS]:,} bytes, {manifest.spaces.fingerprint}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
