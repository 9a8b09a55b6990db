"""Makes the numbers of `streams`: `python -m services.embedder.training.patterns WEIGHTS`.

WEIGHTS are those of MobileNetV2 0.35; the map to style is fitted in closed form on patterns that
the project draws itself, each on things of many shapes.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.embedder.preprocess import Preprocessing
from services.embedder.training import streams
from services.embedder.training.drawings import (
    Pixels,
    draw,
    draw_palette,
    draw_pattern,
    draw_shape,
)
from services.embedder.training.fitting import LinearMap, discriminant

_SEED: Final = 7
_SHAPES, _VIEWS, _PATTERNS = 500, 12, 200
_SHRINK: Final = 0.03
_BATCH: Final = 20


@dataclass(frozen=True, slots=True)
class Drawn:
    """Framed drawings with the shape and the pattern that each shows."""

    pictures: Pixels
    shapes: NDArray[np.int64]
    patterns: NDArray[np.int64]


def draw_all(
    seed: int = _SEED, shapes: int = _SHAPES, views: int = _VIEWS, patterns: int = _PATTERNS
) -> Drawn:
    """Every shape in several views, every view with a pattern and a palette of its own."""
    rng = np.random.default_rng(seed)
    known = [draw_pattern(rng) for _ in range(patterns)]
    preprocessing = Preprocessing(streams.SIDE)
    pictures, worn = [], []
    for _ in range(shapes):
        shape = draw_shape(rng)
        for _ in range(views):
            worn.append(int(rng.integers(patterns)))
            drawing = draw(shape, known[worn[-1]], draw_palette(rng), rng)
            pictures.append(preprocessing(drawing))
    return Drawn(np.stack(pictures), np.arange(shapes).repeat(views), np.array(worn))


def products_of(pictures: Pixels, textures: object) -> NDArray[np.float64]:
    """What the early layers answer together, of each picture."""

    @tf.function  # type: ignore[untyped-decorator]
    def look(batch: object) -> object:
        light = tf.cast(batch, tf.float32)
        answers = textures(light / 127.5 - 1, training=False)  # type: ignore[operator]
        return streams.products(answers, streams.attention(streams.lab_of(light)))

    found = [
        look(tf.constant(pictures[at : at + _BATCH])) for at in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate([np.asarray(one) for one in found]).astype(np.float64)


def fit(products: NDArray[np.float64], patterns: NDArray[np.int64]) -> LinearMap:
    """Patterns told apart by the upper triangle of products; of the lower one, nothing is left over."""
    count = streams.CHANNELS
    upper = np.ravel_multi_index(np.triu_indices(count), (count, count))
    fitted = discriminant(products[:, upper], patterns, streams.STYLE, _SHRINK)
    matrix = np.zeros((count * count, streams.STYLE))
    matrix[upper] = fitted.matrix
    # Scaled to what float16 keeps well: the direction of a vector does not depend on it.
    matrix = (matrix / np.abs(matrix).max()).astype(np.float16).astype(np.float64)
    return LinearMap(products.mean(axis=0), matrix)


def main(weights: Path) -> None:
    textures = streams.early_layers(weights)
    drawn = draw_all()
    fitted = fit(products_of(drawn.pictures, textures), drawn.patterns)
    layers = {f"layer_{n}": value for n, value in enumerate(textures.get_weights())}
    np.savez_compressed(
        streams.NUMBERS,
        matrix=fitted.matrix.astype(np.float16),
        middle=(fitted.middle @ fitted.matrix).astype(np.float32),
        **layers,
    )
    sys.stdout.write(f"{streams.NUMBERS}: {streams.NUMBERS.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
