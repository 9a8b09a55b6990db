"""The descriptor as a TensorFlow graph of built-in operations: what is looked at, and how.

Fixed analytic filters only; what is fitted is one linear map each for content and style, outside.
All work is done on a batch of pictures, `SIDE` x `SIDE` RGB, 0 to 255.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

SIDE = 160
GRID = 40
"""Maps are looked at in this resolution: pixels of four by four."""
_CELLS = (6, 3)
"""Content is pooled over a grid of cells and a coarser one."""
_DIRECTIONS = 8
_LEVELS = 3
_REACH = 1.6
"""How many spreads of the foreground half the grid of cells covers."""

Array = NDArray[np.float32]
Tensor = Any

_AXIS = np.linspace(-1, 1, GRID, dtype=np.float32)
_CENTRED = np.exp(-(_AXIS[:, None] ** 2 + _AXIS[None, :] ** 2) / (2 * 0.55**2)).astype(np.float32)
_RGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
) / np.array([[0.9505], [1.0], [1.089]], np.float32)
_CUBE_ROOTS_TO_LAB = np.array([[0, 5, 0], [1.16, -5, 2], [0, 0, -2]], np.float32)


def looked_at(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Raw content, raw style, and colour of pictures."""
    light = tf.cast(pictures, tf.float32) / 255
    fine = _lab(_pooled(light, 2))
    coarse = _pooled(fine, 2)
    thing = _foreground(coarse)
    grey = tf.reduce_sum(light * np.array([0.3, 0.59, 0.11], np.float32), -1, keepdims=True)
    content = _content(tf.sqrt(grey + 0.02), thing)
    attention = _shares(thing * _CENTRED + 0.03 * _CENTRED)
    style = _style(grey, fine, attention)
    return content, style, _colour(coarse, attention)


def _lab(rgb: Tensor) -> Tensor:
    """CIE Lab in hundredths; the toe near black is rounded instead of piecewise."""
    linear = tf.pow((rgb + 0.055) / 1.055, 2.4)
    roots = tf.pow(tf.linalg.matmul(linear, _RGB_TO_XYZ.T) + 0.003, 1 / 3)
    return tf.linalg.matmul(roots, _CUBE_ROOTS_TO_LAB)


def _pooled(maps: Tensor, size: int) -> Tensor:
    return tf.nn.avg_pool2d(maps, size, size, "SAME") if size > 1 else maps


def _shares(weights: Tensor) -> Tensor:
    return weights / tf.reduce_sum(weights, [1, 2], keepdims=True)


def _flat(maps: Tensor) -> Tensor:
    """Pixels in one row: batch x pixels x channels."""
    return tf.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))


def _foreground(lab: Tensor, likeness: float = 0.16, common: float = 0.2) -> Tensor:
    """How little a pixel's colour is found along the picture's border: 0 background, 1 thing."""
    edge = np.zeros((GRID, GRID), bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    pixels = _flat(lab)
    border = tf.gather(pixels, np.flatnonzero(edge)[::3], axis=1)
    distance = (
        tf.reduce_sum(pixels**2, -1, keepdims=True)
        + tf.reduce_sum(border**2, -1)[:, None, :]
        - 2 * tf.linalg.matmul(pixels, border, transpose_b=True)
    )
    alike = tf.reduce_mean(tf.exp(-tf.nn.relu(distance) / (2 * likeness**2)), -1)
    return tf.reshape(tf.nn.relu(1 - alike / common), (-1, GRID, GRID))


def _content(grey: Tensor, thing: Tensor) -> Tensor:
    """Directions of edges over cells laid around the thing, and the thing's outline itself."""
    levels = []
    for level in range(_LEVELS):
        levels.append(_edge_maps(grey, 2 ** (_LEVELS - 1 - level)))
        grey = _pooled(grey, 2)
    edges = tf.concat(levels, -1)
    down, across = _frame(_shares((thing + 0.02) * _CENTRED))
    parts = []
    for count in _CELLS:
        weights = _cell_weights(down, count), _cell_weights(across, count)
        cells = tf.sqrt(_over_cells(edges, *weights) + 1e-4) - 1e-2
        parts.append(tf.reshape(cells, (-1, count * count, _LEVELS, _DIRECTIONS)))
        outline = _over_cells(thing[..., None], *weights)
        parts.append(tf.reshape(outline, (-1, count * count)))
    return _balanced(parts)


def _balanced(parts: list[Tensor]) -> Tensor:
    """Each level of edges at length one, the outline at half."""
    edges = tf.concat(parts[0::2], 1)
    outline = tf.nn.l2_normalize(tf.concat(parts[1::2], 1), -1)
    size = edges.shape[1] * _DIRECTIONS
    levels = [
        tf.nn.l2_normalize(tf.reshape(edges[:, :, level], (-1, size)), -1)
        for level in range(_LEVELS)
    ]
    return tf.concat([*levels, 0.5 * outline], -1)


def _edge_maps(grey: Tensor, shrink: int) -> Tensor:
    """Strength of edges by direction (light to dark or dark to light alike), locally normalised."""
    slope = tf.nn.conv2d(grey, _slope_filters(), 1, "SAME")
    across, down = slope[..., :1], slope[..., 1:]
    squared = across**2 + down**2
    # Doubling the angle makes opposite directions one; the root of the strength goes in before
    # the square, so that the many maps are gone over once less.
    root = tf.sqrt(tf.sqrt(squared + 1e-6)) / (squared + 1e-4)
    doubled = tf.concat([(across**2 - down**2) * root, 2 * across * down * root], -1)
    fit = tf.nn.relu(tf.nn.conv2d(doubled, _direction_filters(), 1, "SAME"))
    maps = _pooled(fit**2, shrink)
    strength = tf.reduce_sum(maps, -1, keepdims=True)
    around = tf.sqrt(tf.nn.avg_pool2d(strength**2, 9, 1, "SAME") + 1e-4)
    return maps / (around + 0.02)


def _slope_filters(spread: float = 0.8) -> Array:
    at = np.arange(-2, 3)
    bell = np.exp(-(at**2) / (2 * spread**2))
    bell /= bell.sum()
    across = np.outer(bell, -at / spread * bell)
    return np.stack([across, across.T], -1)[:, :, None, :].astype(np.float32)


def _direction_filters() -> Array:
    angles = np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS
    return np.stack([np.cos(angles), np.sin(angles)])[None, None].astype(np.float32)


def _frame(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns measured around the thing: half way from the canvas to a tight fit."""
    return _measured(tf.reduce_sum(weights, 2)), _measured(tf.reduce_sum(weights, 1))


def _measured(marginal: Tensor) -> Tensor:
    middle = tf.reduce_sum(marginal * _AXIS, 1, keepdims=True)
    variance = tf.reduce_sum(marginal * (_AXIS - middle) ** 2, 1, keepdims=True)
    spread = tf.sqrt(tf.sqrt(variance + 0.01) / _REACH)
    return (_AXIS - 0.5 * middle) / (spread * _REACH)


def _cell_weights(measured: Tensor, count: int) -> Tensor:
    """How much each row or column belongs to each of `count` soft cells, in shares of a cell."""
    centres = ((np.arange(count) - (count - 1) / 2) * 2 / count).astype(np.float32)
    distance = (measured[:, None, :] - centres[:, None]) ** 2
    weights = tf.exp(-distance * (count**2 / 2))
    return weights / (tf.reduce_sum(weights, -1, keepdims=True) + 0.03)


def _over_cells(maps: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Maps averaged over soft cells, rows first: batch x cells x cells x channels."""
    channels = maps.shape[3]
    count = down.shape[1]
    rows = tf.linalg.matmul(down, tf.reshape(maps, (-1, GRID, GRID * channels)))
    rows = tf.reshape(rows, (-1, count, GRID, channels))
    return tf.linalg.matmul(tf.repeat(across[:, None], count, axis=1), rows)


def _style(grey: Tensor, lab: Tensor, attention: Tensor) -> Tensor:
    """Which textures meet where the thing is: products of Gabor strengths, and their means."""
    half, quarter = lab, _pooled(lab, 2)
    maps = [
        _textures(grey, 4),
        _textures(half, 2),
        _textures(quarter, 1),
        tf.repeat(tf.repeat(_textures(_pooled(quarter, 2), 1), 2, axis=1), 2, axis=2),
    ]
    strengths = _flat(tf.concat(maps, -1))
    shares = tf.reshape(attention, (-1, 1, GRID * GRID))
    means = tf.linalg.matmul(shares, strengths)
    relative = strengths / (tf.reduce_mean(means, -1, keepdims=True) + 0.01)
    weighted = relative * tf.reshape(attention, (-1, GRID * GRID, 1))
    gram = tf.linalg.matmul(weighted, relative, transpose_a=True)
    count = strengths.shape[2]
    upper = np.ravel_multi_index(np.triu_indices(count), (count, count))
    products = tf.gather(tf.reshape(gram, (-1, count * count)), upper, axis=1)
    # Roots: a texture twice as strong is not twice as different.
    parts = [tf.sqrt(products + 1e-6), tf.sqrt(means[:, 0] + 1e-6) * 4]
    return tf.concat(parts, -1)


def _textures(channels: Tensor, shrink: int) -> Tensor:
    """Gabor strengths in four directions and of spots, whatever colours make the contrast."""
    side, count = channels.shape[1], channels.shape[3]
    apart = tf.reshape(tf.transpose(channels, (0, 3, 1, 2)), (-1, side, side, 1))
    waves = _pooled(tf.nn.conv2d(apart, _gabor_filters(), 1, "SAME") ** 2, shrink)
    side //= shrink
    waves = tf.reduce_sum(tf.reshape(waves, (-1, count, side, side, 9)), 1)
    gabors = waves[..., 0:4] + waves[..., 4:8]
    return tf.sqrt(tf.concat([gabors, waves[..., 8:]], -1) + 1e-6)


def _gabor_filters(length: float = 4.5, spread: float = 1.7) -> Array:
    """Four even, four odd, one spot; none answers to flat colour."""
    y, x = np.mgrid[-3:4, -3:4].astype(np.float64)
    bell = np.exp(-(x**2 + y**2) / (2 * spread**2))
    filters = []
    for wave in (np.cos, np.sin):
        for angle in np.arange(4) * np.pi / 4:
            along = x * np.cos(angle) + y * np.sin(angle)
            filters.append(bell * wave(2 * np.pi * along / length))
    filters.append(bell * (1 - (x**2 + y**2) / (2 * spread**2)))
    balanced = [one - bell * one.sum() / bell.sum() for one in filters]
    scaled = [one / np.abs(one).sum() for one in balanced]
    return np.stack(scaled, -1)[:, :, None, :].astype(np.float32)


def _colour(lab: Tensor, attention: Tensor) -> Tensor:
    """A soft histogram of the thing's colours over anchors spread through all that RGB can show."""
    anchors = colour_anchors()
    pixels = _flat(lab)
    distance = (
        tf.reduce_sum(pixels**2, -1, keepdims=True)
        + (anchors**2).sum(1)
        - 2 * tf.linalg.matmul(pixels, anchors.T)
    )
    near = tf.exp(-tf.nn.relu(distance) / (2 * 0.13**2))
    near = near / (tf.reduce_sum(near, -1, keepdims=True) + 1e-3)
    shares = tf.linalg.matmul(tf.reshape(attention, (-1, 1, GRID * GRID)), near)[:, 0]
    return tf.sqrt(shares + 1e-6) - 1e-3


def colour_anchors(count: int = 96) -> Array:
    """Colours in Lab, each the one farthest from all before it; the first is white."""
    steps = np.linspace(0, 1, 11, dtype=np.float32)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    with tf.init_scope():  # numbers, also while a graph is being traced
        lab = _lab(tf.constant(cube)).numpy()
    chosen = [len(lab) - 1]
    distance = np.full(len(lab), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, ((lab - lab[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(distance.argmax()))
    anchors: Array = lab[chosen]
    return anchors
