"""Style and colour, the same for every model: from early layers that see textures, and from the picture.

The layers are the first of MobileNetV2 0.35, which were trained by others on photos; a linear map
of what they answer together tells patterns apart; `patterns` makes these numbers. A batch of
pictures, RGB, 0 to 255.
"""

from pathlib import Path
from typing import Any, Final

import keras  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

CELL: Final = 4
"""Pixels of a map's cell, each way: small enough that a pattern's colours do not run together."""
EVERY: Final = 2
"""Of cells, each way, one is looked at: they are enough, and a quarter of the work."""
CHANNELS: Final = 48
"""So many of an early layer's channels, its first, are looked at."""
BACKBONE: Final = "mobilenetv2-0.35"
TEXTURES: Final = "block_3_expand_relu"
NUMBERS: Final = Path(__file__).with_name("streams.npz")
"""Weights of the early layers, and the map from what they answer together to style."""
COLOURS: Final = 48
STYLE: Final = 48
SIDE: Final = 160

Array = NDArray[np.float32]
Tensor = Any

_MEANS = np.broadcast_to(np.eye(3, dtype=np.float32) / (255 * CELL**2), (CELL, CELL, 3, 3))
"""A convolution, for pooling three channels is slow where this runs."""
_RGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
) / np.array([[0.9505], [1.0], [1.089]], np.float32)
_CUBE_ROOTS_TO_LAB = np.array([[0, 5, 0], [1.16, -5, 2], [0, 0, -2]], np.float32)


def style_and_colour(pictures: Tensor, textures: Tensor) -> tuple[Tensor, Tensor]:
    """Of pictures of `SIDE`, and of what the early layers answer to them."""
    lab = lab_of(pictures)
    shares = attention(lab)
    with np.load(NUMBERS) as numbers:
        matrix, middle = numbers["matrix"].astype(np.float32), numbers["middle"]
    style = tf.linalg.matmul(products(textures, shares), matrix) - middle
    return style, colour(lab, shares)


def texture_network() -> Any:
    """Pictures from -1 to 1 to the answers of the early layers."""
    network = early_layers()
    with np.load(NUMBERS) as numbers:
        network.set_weights([numbers[f"layer_{n}"] for n in range(len(network.weights))])
    network.trainable = False
    return network


def early_layers(weights: Path | None = None) -> Any:
    """As they are made, or with the weights of a whole MobileNetV2 0.35."""
    whole = keras.applications.MobileNetV2(
        (SIDE, SIDE, 3), alpha=0.35, include_top=False, weights=None
    )
    if weights is not None:
        whole.load_weights(weights)
    return keras.Model(whole.input, whole.get_layer(TEXTURES).output)


def lab_of(pictures: Tensor) -> Tensor:
    """Cells in CIE Lab, in hundredths; the toe near black is rounded instead of piecewise."""
    rgb = tf.nn.conv2d(tf.cast(pictures, tf.float32), _MEANS, CELL * EVERY, "VALID")
    linear = tf.pow((rgb + 0.055) / 1.055, 2.4)
    roots = tf.pow(tf.linalg.matmul(linear, _RGB_TO_XYZ.T) + 0.003, 1 / 3)
    return tf.linalg.matmul(roots, _CUBE_ROOTS_TO_LAB)


def attention(lab: Tensor, reach: float = 0.34, common: float = 0.25) -> Tensor:
    """How much each cell belongs to the thing, in shares of one: not the border's colours, and central."""
    side = lab.shape[1]
    pixels = _flat(lab)
    near = _nearness(pixels, tf.gather(pixels, _border(side), axis=1), reach)
    thing = tf.nn.relu(1 - tf.reduce_mean(near, -1, keepdims=True) / common)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    central = np.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / (2 * 0.55**2))
    weights = (thing + 0.03) * central.reshape(1, -1, 1).astype(np.float32)
    return weights / tf.reduce_sum(weights, 1, keepdims=True)


def colour(lab: Tensor, shares: Tensor, reach: float = 0.3) -> Tensor:
    """A soft histogram of the thing's colours over anchors spread through all that RGB can show."""
    near = _nearness(_flat(lab), tf.constant(colour_anchors()[None]), reach)
    near = near / (tf.reduce_sum(near, -1, keepdims=True) + 1e-3)
    histogram = tf.linalg.matmul(shares, near, transpose_a=True)[:, 0]
    return tf.sqrt(histogram + 1e-6) - 1e-3


def products(early: Tensor, shares: Tensor) -> Tensor:
    """Which channels of an early layer answer together where the thing is: a Gram matrix's roots.

    Roots, for a texture twice as strong is not twice as different; relative to the picture's
    mean, for contrast is no texture.
    """
    maps = _flat(early[..., :CHANNELS])
    side = early.shape[1] // EVERY
    wide = tf.repeat(tf.repeat(tf.reshape(shares, (-1, side, side, 1)), EVERY, 1), EVERY, 2)
    shares = _flat(wide) / EVERY**2
    means = tf.reduce_mean(tf.linalg.matmul(shares, maps, transpose_a=True), -1, keepdims=True)
    relative = maps / (means + 0.01)
    gram = tf.linalg.matmul(relative * shares, relative, transpose_a=True)
    return tf.sqrt(tf.reshape(gram, (-1, CHANNELS * CHANNELS)) + 1e-4)


def colour_anchors() -> Array:
    """Colours in Lab, each the one farthest from all before it; the first is white."""
    steps = np.linspace(0, 1, 11, dtype=np.float32)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    linear = ((cube + 0.055) / 1.055) ** 2.4
    lab = np.cbrt(linear @ _RGB_TO_XYZ.T + 0.003) @ _CUBE_ROOTS_TO_LAB
    chosen = [len(lab) - 1]
    distance = np.full(len(lab), np.inf)
    while len(chosen) < COLOURS:
        distance = np.minimum(distance, ((lab - lab[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(distance.argmax()))
    anchors: Array = lab[chosen].astype(np.float32)
    return anchors


def _border(side: int, every: int = 3) -> NDArray[np.int64]:
    edge = np.zeros((side, side), bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    return np.flatnonzero(edge)[::every]


def _nearness(pixels: Tensor, others: Tensor, reach: float) -> Tensor:
    """1 where two colours are one, 0 from `reach` on, as smooth as a bell and without its cost."""
    squared = (
        tf.reduce_sum(pixels**2, -1, keepdims=True)
        + tf.linalg.matrix_transpose(tf.reduce_sum(others**2, -1, keepdims=True))
        - 2 * tf.linalg.matmul(pixels, others, transpose_b=True)
    )
    return tf.nn.relu(1 - tf.nn.relu(squared) / reach**2) ** 2


def _flat(maps: Tensor) -> Tensor:
    """Cells in one row: batch x cells x channels."""
    return tf.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))
