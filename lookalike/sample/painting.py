"""A thing in a pattern and colours, painted on nothing: pixels and how opaque they are."""

import math
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
    """A painted thing: its colours, already multiplied by the opacity, which is from 0 to 1."""

    colour: Pixels
    opacity: Pixels


def paint(kind: str, design: Design, form: Form = (0.0, 0.0, 0.0)) -> Cutout:
    """Paint a thing of a kind; `form` is three numbers in [-1, 1] that vary its proportions."""
    paints = _paints(design)
    # Painted as three planes, which numpy multiplies by a mask several times quicker.
    planes = np.zeros((3, CANVAS, CANVAS), np.float32)
    opacity = np.zeros((CANVAS, CANVAS), np.float32)
    for part in KINDS[kind].parts(form):
        _lay(part, paints[part.fill], planes, opacity)
    return Cutout(np.asarray(cv2.merge(list(planes)), np.float32), opacity)


def _paints(design: Design) -> dict[Fill, Pixels]:
    """What parts are filled with, as planes: of the whole canvas, or of one pixel if plain."""
    main, second, third = map(rgb, design.colours)
    plain = _PLAIN | {"body": main, "main": main, "second": second, "third": third}
    paints = {fill: _planes(np.array([[colour]], np.uint8)) for fill, colour in plain.items()}
    if design.pattern != "plain":
        paints["body"] = _texture(design, (main, second, third))
    return paints


def _planes(pixels: NDArray[np.uint8]) -> Pixels:
    return np.moveaxis(pixels, 2, 0).astype(np.float32, order="C") / np.float32(255)


def _texture(design: Design, colours: tuple[RGB, RGB, RGB]) -> Pixels:
    """The pattern over the whole canvas, scaled, turned, and sagging a little as on a round thing."""
    zoom = SIDE / (CANVAS * 0.2 * design.scale)
    cos = math.cos(math.radians(design.angle)) * zoom
    sin = math.sin(math.radians(design.angle)) * zoom
    across = np.arange(CANVAS, dtype=np.float32)[None, :] - CANVAS / 2
    down = np.arange(CANVAS, dtype=np.float32)[:, None] - CANVAS / 2 - across**2 / CANVAS * 0.22
    x, y = _wrapped(across * cos + down * sin), _wrapped(down * cos - across * sin)
    sheet = np.tile(tile(design.pattern, colours), (2, 2, 1))
    return _planes(np.asarray(cv2.remap(sheet, x, y, cv2.INTER_LINEAR), np.uint8))


def _wrapped(coordinates: NDArray[np.floating]) -> Pixels:
    """Coordinates within one tile."""
    return np.asarray(coordinates - np.floor(coordinates / SIDE) * SIDE, np.float32)


def _lay(part: Part, paint: Pixels, planes: Pixels, opacity: Pixels) -> None:
    """Paint one part over what is there."""
    left, top, right, bottom = _box(part)
    if right <= left or bottom <= top:
        return
    mask = _mask(part, (left, top, right, bottom))
    here = np.s_[..., top:bottom, left:right]
    pixels = paint if paint.shape[1] == 1 else paint[here]
    planes[here] *= 1 - mask
    planes[here] += pixels * (_light(part, mask) * mask)
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
    return np.asarray(light * part.tone, np.float32)


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
