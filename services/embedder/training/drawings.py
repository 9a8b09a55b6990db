"""Seeded drawings to fit on: made-up things in many shapes, patterns and palettes.

A drawing is (shape, pattern, palette) plus everything that shall not matter: where it lies, how
large, how turned, before what background. No picture of anybody's is needed or used.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
Array = NDArray[np.floating[Any]]
Rng = np.random.Generator

_CANVAS = 192
_PATTERNS = ("plain", "stripes", "checks", "dots", "zigzag", "speckle", "weave")


@dataclass(frozen=True, slots=True)
class Shape:
    """Outlines in a unit frame around the origin, and strokes upon them (seams, pockets)."""

    outlines: tuple[Points, ...]
    strokes: tuple[Points, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What covers a shape; `period` and `angle` belong to it, its colours do not."""

    kind: str
    period: float
    angle: float
    share: float
    grain: float


Palette = tuple[Pixels, Pixels]


def draw_shape(rng: Rng) -> Shape:
    """A made-up thing: a mirrored body with or without limbs, or a free lopsided one."""
    if rng.random() < 0.25:
        outlines: tuple[Points, ...] = (_free_outline(rng),)
    else:
        outlines = (_body(rng), *_limbs(rng))
    strokes = tuple(_stroke(rng) for _ in range(rng.integers(0, 5)))
    return Shape(outlines, strokes)


def draw_pattern(rng: Rng) -> Pattern:
    return Pattern(
        kind=str(rng.choice(_PATTERNS)),
        period=float(rng.uniform(5, 26)),
        angle=float(rng.choice([0, 45, 90, 135])) + float(rng.normal(0, 6)),
        share=float(rng.uniform(0.25, 0.6)),
        grain=float(rng.choice([0, 0, 3, 9])),
    )


def draw_palette(rng: Rng) -> Palette:
    """Two colours apart enough that a pattern in them can be seen."""
    first = rng.integers(0, 256, 3)
    second = rng.integers(0, 256, 3)
    while np.abs(first - second).sum() < 150:
        second = rng.integers(0, 256, 3)
    return first.astype(np.uint8), second.astype(np.uint8)


def draw(shape: Shape, pattern: Pattern, palette: Palette, rng: Rng) -> Pixels:
    """One picture of a thing, RGB, everything that shall not matter left to `rng`."""
    paint = _paint(pattern, palette, rng)
    paint = np.clip(paint * _shading(rng), 0, 255)
    cover, lines = _cover(shape, rng)
    dark = paint * rng.uniform(0.3, 0.8)
    thing = paint + (dark - paint) * lines[..., None]
    picture = thing * cover[..., None] + _background(rng) * (1 - cover[..., None])
    return _photographed(picture, rng)


def _body(rng: Rng) -> Points:
    """A mirrored outline from a few widths down its height, as a shirt, bottle or lamp has."""
    knots = int(rng.integers(3, 8))
    widths = rng.uniform(0.12, 1.0, knots) * rng.uniform(0.4, 1.0)
    heights = np.linspace(-1, 1, knots) * rng.uniform(0.5, 1.0)
    right = np.stack([widths, heights], 1)
    left = right[::-1] * (-1, 1)
    return _rounded(np.concatenate([right, left]), int(rng.integers(0, 3)))


def _limbs(rng: Rng) -> tuple[Points, ...]:
    """Sleeves, legs, handles: a pair of bars, mirrored."""
    if rng.random() < 0.4:
        return ()
    start = np.array([rng.uniform(0.1, 0.5), rng.uniform(-0.8, 0.8)])
    angle = rng.uniform(-0.4, math.pi / 2)
    along = np.array([math.cos(angle), math.sin(angle)]) * rng.uniform(0.4, 1.2)
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along) * rng.uniform(0.06, 0.3)
    taper = rng.uniform(0.5, 1.2)
    bar = np.stack([start - across, start + across])
    end = np.stack([start + along + across * taper, start + along - across * taper])
    limb = np.concatenate([bar, end])
    return limb, limb * (-1, 1)


def _free_outline(rng: Rng) -> Points:
    count = int(rng.integers(5, 11))
    angles = np.sort(rng.uniform(0, 2 * math.pi, count))
    radii = rng.uniform(0.35, 1.0, count)
    points = np.stack([np.cos(angles) * radii, np.sin(angles) * radii], 1)
    return _rounded(points * (1, rng.uniform(0.4, 1.0)), int(rng.integers(0, 3)))


def _rounded(points: Points, times: int) -> Points:
    """Corners cut `times` times (Chaikin): 0 leaves them sharp."""
    for _ in range(times):
        following = np.roll(points, -1, axis=0)
        points = np.stack(
            [0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1
        ).reshape(-1, 2)
    return points


def _stroke(rng: Rng) -> Points:
    start = rng.uniform(-0.7, 0.7, 2)
    bend = rng.normal(0, 0.25, (3, 2)).cumsum(axis=0)
    return np.concatenate([start[None], start + bend])


def _place(rng: Rng) -> NDArray[np.float64]:
    """Unit frame to canvas: turned, stretched, mirrored, moved a little."""
    angle = rng.normal(0, 0.09)
    size = _CANVAS * rng.uniform(0.26, 0.46)
    stretch = np.diag([size * rng.uniform(0.85, 1.15) * rng.choice([-1, 1]), size])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = _CANVAS / 2 + rng.normal(0, _CANVAS * 0.04, 2)
    return np.concatenate([turn @ stretch, middle[:, None]], 1)


def _cover(shape: Shape, rng: Rng) -> tuple[Array, Array]:
    place = _place(rng)
    cover = np.zeros((_CANVAS, _CANVAS), np.uint8)
    lines = np.zeros_like(cover)
    for outline in shape.outlines:
        cv2.fillPoly(cover, [_on_canvas(outline, place, rng)], 255, cv2.LINE_AA)
        cv2.polylines(lines, [_on_canvas(outline, place, rng)], True, 120, 1, cv2.LINE_AA)
    for stroke in shape.strokes:
        cv2.polylines(lines, [_on_canvas(stroke, place, rng)], False, 255, 2, cv2.LINE_AA)
    return cover.astype(np.float32) / 255, lines.astype(np.float32) / 255


def _on_canvas(points: Points, place: NDArray[np.float64], rng: Rng) -> NDArray[np.int32]:
    wobbly = points + rng.normal(0, 0.015, points.shape)
    return np.round(wobbly @ place[:, :2].T + place[:, 2]).astype(np.int32)


def _paint(pattern: Pattern, palette: Palette, rng: Rng) -> Array:
    ink = _ink(pattern, rng)[..., None].astype(np.float32)
    first, second = (colour.astype(np.float32) for colour in palette)
    paint = first * (1 - ink) + second * ink
    grainy: Array = paint + rng.normal(0, pattern.grain, paint.shape)
    return grainy


def _ink(pattern: Pattern, rng: Rng) -> Any:
    """How much of the second colour there is at each pixel, 0 to 1."""
    angle = math.radians(pattern.angle) + rng.normal(0, 0.05)
    period = pattern.period * rng.uniform(0.9, 1.1)
    y, x = np.mgrid[:_CANVAS, :_CANVAS] / period
    u = x * math.cos(angle) + y * math.sin(angle) + rng.random()
    v = y * math.cos(angle) - x * math.sin(angle) + rng.random()
    kind, share = pattern.kind, pattern.share
    ink: Any = np.zeros((_CANVAS, _CANVAS))
    if kind == "stripes":
        ink = u % 1 < share
    elif kind == "checks":
        ink = ((u % 1 < share) + 1.0 * (v % 1 < share)) / 2
    elif kind == "dots":
        ink = (u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < (share * 0.6) ** 2
    elif kind == "zigzag":
        ink = (u + np.abs(v % 1 - 0.5)) % 1 < share
    elif kind == "weave":
        ink = (u % 1 < 0.5) ^ (v % 1 < 0.5)
    elif kind == "speckle":
        noise = cv2.GaussianBlur(rng.normal(0, 1, (_CANVAS, _CANVAS)), (0, 0), period / 4)
        ink = noise > np.quantile(noise, 1 - share)
    return ink


def _shading(rng: Rng) -> Array:
    """Light from one side and soft folds."""
    rough = rng.normal(1, 0.12, (5, 5)).astype(np.float32)
    smooth = cv2.resize(rough, (_CANVAS, _CANVAS), interpolation=cv2.INTER_CUBIC)
    light: Array = smooth[..., None].astype(np.float32)
    return light


def _background(rng: Rng) -> Array:
    """Often white, else a plain colour, a gradient, or a soft clutter."""
    blank = np.ones((_CANVAS, _CANVAS, 3), np.float32)
    kind = rng.random()
    if kind < 0.4:
        return blank * np.float32(rng.uniform(235, 255))
    colour = rng.uniform(40, 250, 3).astype(np.float32)
    if kind < 0.65:
        return blank * colour
    size = 2 if kind < 0.85 else 6
    rough = colour + rng.normal(0, 25, (size, size, 3)).astype(np.float32)
    spread = cv2.resize(rough, (_CANVAS, _CANVAS), interpolation=cv2.INTER_CUBIC)
    clutter: Array = np.clip(spread, 0, 255).astype(np.float32)
    return clutter


def _photographed(picture: Array, rng: Rng) -> Pixels:
    """Blur, light and noise of a camera, and JPEG-like loss left to none: it is one more blur."""
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.3))
    lit = soft * rng.uniform(0.8, 1.1) + rng.normal(0, rng.uniform(0, 5), soft.shape)
    pixels: Pixels = np.clip(lit, 0, 255).astype(np.uint8)
    return pixels
