"""Outlines written like the paths of SVG, on a canvas of 100 by 100, and the parts made of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Fill = Literal["body", "main", "second", "third", "dark", "light", "wood", "metal", "gold", "leaf"]
"""body: the main colour with the pattern on it; the others are plain."""
Form = tuple[float, float, float]
"""Three numbers in [-1, 1] that vary the proportions of a thing."""
Shade = Literal["soft", "round", "ball", "flat"]
"""How light falls: on a cushion, a cylinder, a ball, a board."""

_TOKEN = re.compile(r"[MLCQZ]|-?[\d.]+")
_STEPS = np.linspace(0, 1, 15, dtype=np.float32)[1:, None]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One painted piece of a thing; later parts lie on earlier ones. With a width it is a line."""

    points: Points
    fill: Fill = "body"
    shade: Shade = "soft"
    tone: float = 1.0
    width: float = 0.0


Parts = list[Part]


def shape(path: str, fill: Fill = "body", shade: Shade = "soft", tone: float = 1.0) -> Part:
    """A filled outline."""
    return Part(points(path), fill, shade, tone)


def turned(path: str, fill: Fill = "body", shade: Shade = "round", tone: float = 1.0) -> Part:
    """A filled outline of which the path is the right half, from top to bottom."""
    half = points(path)
    return Part(np.concatenate([half, _reflected(half)[::-1]]), fill, shade, tone)


def line(path: str, width: float, fill: Fill = "dark", tone: float = 1.0) -> Part:
    """A drawn line with round ends."""
    return Part(points(path), fill, "flat", tone, width)


def oval(  # noqa: PLR0917 -- ovals are many, and read like SVG's: centre, radii, fill
    x: float,
    y: float,
    radius: float,
    height: float | None = None,
    fill: Fill = "body",
    shade: Shade = "soft",
    tone: float = 1.0,
) -> Part:
    """An ellipse around (x, y), a circle without a height of its own."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    size = (radius, radius if height is None else height)
    return Part((around * size + (x, y)).astype(np.float32), fill, shade, tone)


def both(*parts: Part) -> Parts:
    """The parts and their mirror images."""
    return [
        twin for part in parts for twin in (part, replace(part, points=_reflected(part.points)))
    ]


def moved(parts: Iterable[Part], x: float, y: float) -> Parts:
    shift = np.array([x, y], dtype=np.float32)
    return [replace(part, points=part.points + shift) for part in parts]


@lru_cache(maxsize=1024)
def points(path: str) -> Points:
    """The path's curves as a line of points."""
    tokens = _TOKEN.findall(path)
    line: list[Points] = []
    pen = np.zeros(2, np.float32)
    start = 0
    while start < len(tokens):
        end = start + 1
        while end < len(tokens) and tokens[end] not in _COMMANDS:
            end += 1
        numbers = np.array(tokens[start + 1 : end], dtype=np.float32).reshape(-1, 2)
        line.extend(_COMMANDS[tokens[start]](pen, numbers))
        pen = line[-1][-1]
        start = end
    return np.concatenate(line)


def _straight(_: Points, numbers: Points) -> list[Points]:
    return [numbers] if len(numbers) else []


def _quadratic(start: Points, numbers: Points) -> list[Points]:
    curves, t = [], _STEPS
    for control, end in numbers.reshape(-1, 2, 2):
        curves.append((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)
        start = end
    return curves


def _cubic(start: Points, numbers: Points) -> list[Points]:
    curves, t = [], _STEPS
    for first, second, end in numbers.reshape(-1, 3, 2):
        bent = 3 * t * (1 - t) ** 2 * first + 3 * t**2 * (1 - t) * second
        curves.append((1 - t) ** 3 * start + bent + t**3 * end)
        start = end
    return curves


_COMMANDS = {"M": _straight, "L": _straight, "Q": _quadratic, "C": _cubic, "Z": _straight}


def _reflected(line: Points) -> Points:
    return np.stack([100 - line[:, 0], line[:, 1]], axis=1)
