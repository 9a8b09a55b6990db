"""A thing in a pattern and colours, painted on nothing: pixels and how opaque they are."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.sample.kinds import KINDS
from lookalike.sample.palettes import RGB, rgb
from lookalike.sample.paths import Fill, Form, Part
from lookalike.sample.patterns import SIDE, tile

Pixels = NDArray[np.float32]

CANVAS = 448
"""The side of the painted square: twice that of a photo, so that its edges come out smooth."""
DEFAULT_COLOURS = ("teal", "cream", "coral")
_SCALE = CANVAS / 100
_FIXED = 4
_PLAIN: dict[Fill, RGB] = {
    "dark": (58, 54, 60),
    "light": (250, 248, 243),
    "wood": (178, 124, 78),
    "metal": (176, 182, 190),
    "gold": (214, 172, 92),
    "leaf": (84, 150, 88),
}


@dataclass(frozen=True, slots=True)
class Design:
    """How a thing is decorated; `scale` is the size of the pattern, `angle` its turn in degrees."""

    pattern: str = "plain"
    colours: tuple[str | RGB, str | RGB, str | RGB] = DEFAULT_COLOURS
    scale: float = 1.0
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Cutout:
    """A painted thing: colours already multiplied by the opacity, both from 0 to 1."""

    colour: Pixels
    opacity: Pixels


def paint(kind: str, design: Design, form: Form = (0.0, 0.0, 0.0)) -> Cutout:
    """Paint a thing of a kind; `form` is three numbers in [-1, 1] that vary its proportions."""
    colours = tuple(rgb(colour) for colour in design.colours)
    texture = _texture(design, (colours[0], colours[1], colours[2]))
    plain = _PLAIN | {"main": colours[0], "second": colours[1], "third": colours[2]}
    colour = np.zeros((CANVAS, CANVAS, 3), np.float32)
    opacity = np.zeros((CANVAS, CANVAS), np.float32)
    for part in KINDS[kind].parts(form):
        _lay(part, texture if part.fill == "body" else plain[part.fill], colour, opacity)
    return Cutout(colour, opacity)


def _texture(design: Design, colours: tuple[RGB, RGB, RGB]) -> Pixels:
    """The pattern over the whole canvas, scaled, turned, and sagging a little as on a round thing."""
    repeat = tile(design.pattern, colours)
    if design.pattern == "plain":
        return np.full((CANVAS, CANVAS, 3), np.array(colours[0]) / 255, np.float32)
    turn = np.deg2rad(design.angle)
    zoom = SIDE / (CANVAS * 0.2 * design.scale)
    cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
    sheet = np.tile(repeat, (2, 2, 1))
    across = np.arange(CANVAS, dtype=np.float32)[None, :] - CANVAS / 2
    down = np.arange(CANVAS, dtype=np.float32)[:, None] - CANVAS / 2 - across**2 / CANVAS * 0.22
    x = np.mod(across * cos + down * sin, SIDE).astype(np.float32)
    y = np.mod(down * cos - across * sin, SIDE).astype(np.float32)
    return cv2.remap(sheet, x, y, cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)


def _lay(part: Part, paint: Pixels | RGB, colour: Pixels, opacity: Pixels) -> None:
    """Paint one part over what is there."""
    left, top, right, bottom = _box(part)
    if right <= left or bottom <= top:
        return
    mask = _mask(part, (left, top, right, bottom))
    light = _light(part, mask)
    here = np.s_[top:bottom, left:right]
    pixels = (
        paint[here]
        if isinstance(paint, np.ndarray)
        else np.array(paint, np.float32) / np.float32(255)
    )
    lit = np.minimum(pixels * light[..., None], 1)
    cover = mask[..., None]
    colour[here] += (lit - colour[here]) * cover
    opacity[here] += (1 - opacity[here]) * mask


def _box(part: Part) -> tuple[int, int, int, int]:
    margin = part.width / 2 + 0.6
    low = np.floor((part.points.min(axis=0) - margin) * _SCALE).clip(0, CANVAS).astype(int)
    high = np.ceil((part.points.max(axis=0) + margin) * _SCALE).clip(0, CANVAS).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _mask(part: Part, box: tuple[int, int, int, int]) -> Pixels:
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    fixed = (part.points * _SCALE - (left, top)) * 2**_FIXED
    outline = [np.rint(fixed).astype(np.int32)]
    if part.width:
        thickness = max(1, round(part.width * _SCALE))
        cv2.polylines(mask, outline, False, 255, thickness, cv2.LINE_AA, _FIXED)
    else:
        cv2.fillPoly(mask, outline, 255, cv2.LINE_AA, _FIXED)
    return mask.astype(np.float32) / np.float32(255)


def _light(part: Part, mask: Pixels) -> Pixels:
    """How bright each pixel of a part is, around 1."""
    height, width = mask.shape
    u = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    v = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    if part.shade == "round":
        light = 1.1 - 0.34 * (u + 0.28) ** 2 - 0.05 * v
    elif part.shade == "ball":
        light = 1.16 - 0.3 * ((u + 0.35) ** 2 + (v + 0.4) ** 2)
    elif part.shade == "flat":
        light = 1.03 - 0.06 * (u + v)
    else:
        light = _cushion(mask) - 0.05 * v
    return np.asarray(light * part.tone, np.float32) + np.zeros_like(mask)


def _cushion(mask: Pixels) -> Pixels:
    """Light from the upper left on something that swells in the middle."""
    height, width = mask.shape
    small = (max(4, width // 8), max(4, height // 8))
    reach = max(1.0, min(small) * 0.14)
    swell = cv2.GaussianBlur(cv2.resize(mask, small, interpolation=cv2.INTER_AREA), (0, 0), reach)
    step = round(reach)
    padded = cv2.copyMakeBorder(swell, step, step, step, step, cv2.BORDER_CONSTANT, value=0)
    slope = padded[2 * step :, 2 * step :] - padded[: -2 * step, : -2 * step]
    light = 0.9 + 0.14 * swell + 0.16 * slope
    return np.asarray(cv2.resize(light, (width, height)), np.float32)
