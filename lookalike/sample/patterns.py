"""Patterns as square tiles that repeat without a seam, in up to three colours."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.sample.palettes import RGB

Tile = NDArray[np.uint8]
Colours = tuple[RGB, RGB, RGB]

SIDE = 128
_FINE = 4
"""Coordinates are given to cv2 in quarters of a pixel."""


def tile(pattern: str, colours: Colours) -> Tile:
    """One repeat of a pattern, SIDE by SIDE, RGB; the first colour is the ground."""
    ground = np.empty((SIDE, SIDE, 3), np.uint8)
    ground[:] = colours[0]
    PATTERNS[pattern](ground, *colours)
    return ground


def _plain(_: Tile, *__: RGB) -> None:
    pass


def _striped(tile: Tile, _: RGB, second: RGB, __: RGB) -> None:
    tile[0:32] = tile[64:96] = second


def _pinstriped(tile: Tile, _: RGB, second: RGB, __: RGB) -> None:
    for x in range(0, SIDE, 32):
        tile[:, x : x + 7] = second


def _sailor(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    tile[8:56] = second
    tile[80:92] = third
    tile[104:116] = third


def _dotted(tile: Tile, _: RGB, second: RGB, __: RGB) -> None:
    for x, y in ((32, 32), (96, 96)):
        _blot(tile, _circle(x, y, 19), second)


def _bubbled(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    for x, y, radius in ((28, 30, 22), (92, 58, 13), (50, 98, 16), (112, 112, 9)):
        _blot(tile, _circle(x, y, radius), second)
    for x, y, radius in ((80, 16, 8), (12, 74, 9), (88, 96, 12)):
        _blot(tile, _circle(x, y, radius), third)


def _checked(tile: Tile, first: RGB, second: RGB, _: RGB) -> None:
    half = _between(first, second)
    tile[:64] = half
    tile[:, :64] = half
    tile[:64, :64] = second


def _tartan(tile: Tile, first: RGB, second: RGB, third: RGB) -> None:
    half = _between(first, second)
    tile[20:60] = half
    tile[:, 20:60] = half
    tile[20:60, 20:60] = second
    for at in (88, 104):
        tile[at : at + 5] = third
        tile[:, at : at + 5] = third


def _zigzag(tile: Tile, _: RGB, second: RGB, __: RGB) -> None:
    for y in (0, 64, 128):
        _blot(
            tile,
            _band([(0, y + 22), (32, y - 10), (64, y + 22), (96, y - 10), (128, y + 22)], 26),
            second,
        )


def _chevron(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    for y, colour in ((0, second), (64, third), (128, second)):
        _blot(tile, _band([(0, y + 44), (64, y - 20), (128, y + 44)], 22), colour)


def _wavy(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    x = np.linspace(0, SIDE, 33)
    for y, colour in ((-32, third), (32, second), (96, third), (160, second)):
        crest = y + 14 * np.sin(x / SIDE * 4 * np.pi)
        _blot(tile, _band(list(zip(x, crest, strict=True)), 24), colour)


def _argyle(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    _blot(tile, [(64, 4), (124, 64), (64, 124), (4, 64)], second)
    for y in (-64, 0, 64):
        _blot(tile, _band([(0, y), (128, y + 128)], 4), third)
        _blot(tile, _band([(0, 128 - y), (128, -y)], 4), third)


def _floral(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    leaf = _between(_LEAF, third, 0.75)
    for x, y, size in ((36, 36, 15), (100, 100, 15), (100, 34, 8), (36, 102, 8)):
        for angle in (0.6, 2.2):
            _blot(tile, _petal(x, y, size * 2.0, angle, 0.45), leaf)
        for n in range(5):
            _blot(tile, _petal(x, y, size * 1.7, n * 2 * np.pi / 5, 0.8), second)
        _blot(tile, _circle(x, y, size * 0.5), third)


def _leafy(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    for x, y, colour in ((32, 64, second), (96, 128, third)):
        _blot(
            tile,
            [(x - 1.5, y - 52), (x + 1.5, y - 52), (x + 1.5, y + 52), (x - 1.5, y + 52)],
            colour,
        )
        _blot(tile, _petal(x, y - 40, 26, np.pi / 2, 0.6), colour)
        for step in (-26, 0, 26):
            for angle in (0.6, np.pi - 0.6):
                _blot(tile, _petal(x, y + step + 12, 32, angle, 0.6), colour)


def _starry(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    for x, y, size, colour in (
        (32, 36, 25, second),
        (96, 100, 25, second),
        (98, 32, 11, third),
        (32, 104, 11, third),
    ):
        _blot(tile, _star(x, y, size), colour)


def _hearted(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    for x, y, size, colour in (
        (32, 34, 1.45, second),
        (96, 98, 1.45, second),
        (96, 34, 0.7, third),
        (32, 98, 0.7, third),
    ):
        t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        across = 16 * np.sin(t) ** 3
        down = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        _blot(tile, np.stack([x + size * across, y - size * down], axis=1), colour)


def _triangular(tile: Tile, _: RGB, second: RGB, third: RGB) -> None:
    for x, y, colour in ((32, 8, second), (96, 72, second), (96, 8, third), (32, 72, third)):
        _blot(tile, [(x, y), (x + 27, y + 46), (x - 27, y + 46)], colour)


def _scalloped(tile: Tile, first: RGB, second: RGB, third: RGB) -> None:
    for y in (128, 96, 64, 32, 0, -32):
        for x in range(-64 if (y // 32) % 2 else -32, 193, 64):
            for radius, colour in ((31, second), (24, first), (13, third)):
                _blot(tile, _circle(x, y, radius), colour, wrap=False)


PATTERNS: dict[str, Callable[..., None]] = {
    "plain": _plain,
    "striped": _striped,
    "pinstriped": _pinstriped,
    "sailor-striped": _sailor,
    "dotted": _dotted,
    "bubbled": _bubbled,
    "checked": _checked,
    "tartan": _tartan,
    "zigzag": _zigzag,
    "chevron": _chevron,
    "wavy": _wavy,
    "argyle": _argyle,
    "floral": _floral,
    "leafy": _leafy,
    "starry": _starry,
    "hearted": _hearted,
    "triangular": _triangular,
    "scalloped": _scalloped,
}
"""By the word that a title uses."""

_LEAF = (74, 140, 92)


def _blot(tile: Tile, outline: object, colour: RGB, *, wrap: bool = True) -> None:
    """Fill an outline; what leaves the tile on one side comes in on the other."""
    line = np.asarray(outline, np.float64)
    low, high = line.min(axis=0), line.max(axis=0)
    shifts = [
        [
            step
            for step in (-SIDE, 0, SIDE)
            if wrap or step == 0
            if high[axis] + step > 0 and low[axis] + step < SIDE
        ]
        for axis in (0, 1)
    ]
    for across in shifts[0]:
        for down in shifts[1]:
            fixed = np.rint((line + np.array([across, down])) * _FINE).astype(np.int32)
            cv2.fillPoly(tile, [fixed], colour, cv2.LINE_AA, 2)


def _circle(x: float, y: float, radius: float) -> NDArray[np.float64]:
    t = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    return np.stack([x + radius * np.cos(t), y + radius * np.sin(t)], axis=1)


def _petal(x: float, y: float, length: float, angle: float, fullness: float) -> NDArray[np.float64]:
    """A drop from (x, y) outwards."""
    t = np.linspace(0, np.pi, 14)
    along = length * (1 - np.cos(t)) / 2
    across = length * fullness / 2 * np.sin(t) * np.sqrt(along / length + 0.05)
    out = np.concatenate([np.stack([along, across], 1), np.stack([along, -across], 1)[::-1]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(out @ turn + np.array([x, y]))


def _star(x: float, y: float, size: float) -> NDArray[np.float64]:
    t = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2, size * 0.45, size)
    return np.stack([x + reach * np.cos(t), y + reach * np.sin(t)], axis=1)


def _band(line: list[tuple[float, float]], height: float) -> NDArray[np.float64]:
    """A line made a band, `height` measured downwards."""
    points = np.asarray(line, np.float64)
    half = np.array([0, height / 2])
    return np.concatenate([points - half, points[::-1] + half])


def _between(first: RGB, second: RGB, share: float = 0.5) -> RGB:
    red, green, blue = (
        round(a * share + b * (1 - share)) for a, b in zip(first, second, strict=True)
    )
    return red, green, blue
