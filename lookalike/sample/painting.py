"""A thing in a pattern and colours, painted on nothing: pixels and how opaque they are.

Bytes throughout, and one pass of OpenCV where an operation can be one: a large sample is painted
a million times.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.sample.kinds import KINDS
from lookalike.sample.palettes import RGB, rgb
from lookalike.sample.paths import Fill, Form, Part
from lookalike.sample.patterns import SIDE, tile

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

CANVAS = 288
"""The side of the painted square: more than that of a photo, so that its edges come out smooth."""
DEFAULT_COLOURS = ("teal", "cream", "coral")
_SCALE = CANVAS / 100
_FIXED = 4
_LIT = 200
"""The byte of light that leaves a colour as it is: there is room for what shines."""
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


def paint(kind: str, design: Design, form: Form = (0.0, 0.0, 0.0)) -> Bytes:
    """Paint a thing of a kind; `form` is three numbers in [-1, 1] that vary its proportions.

    RGBA, CANVAS by CANVAS, colours already multiplied by the opacity.
    """
    main, second, third = map(rgb, design.colours)
    colours = _PLAIN | {"body": main, "main": main, "second": second, "third": third}
    canvas = np.zeros((CANVAS, CANVAS, 4), np.uint8)
    for part in KINDS[kind].parts(form):
        if part.width:
            _draw_line(part, colours[part.fill], canvas)
        elif part.fill == "body" and design.pattern != "plain":
            _lay(part, _texture(design), canvas)
        else:
            _lay(part, _paper(colours[part.fill]), canvas)
    return canvas


@lru_cache(maxsize=64)
def _paper(colour: RGB) -> Bytes:
    """The whole canvas in one colour."""
    return np.full((CANVAS, CANVAS, 4), (*colour, 255), np.uint8)


@lru_cache(maxsize=128)
def _texture(design: Design) -> Bytes:
    """The pattern over the whole canvas, scaled, turned, and sagging a little as on a round thing.

    Things that are invented one after the other often share their design.
    """
    zoom = SIDE / (CANVAS * 0.2 * design.scale)
    cos = math.cos(math.radians(design.angle)) * zoom
    sin = math.sin(math.radians(design.angle)) * zoom
    middle = np.arange(CANVAS, dtype=np.float32) - np.float32(CANVAS / 2)
    across, down = middle[None, :], middle[:, None]
    sag = across**2 / CANVAS * 0.22
    x = _wrapped((across * cos - sag * sin) + down * sin)
    y = _wrapped(down * cos - (across * sin + sag * cos))
    main, second, third = map(rgb, design.colours)
    sheet = np.tile(tile(design.pattern, (main, second, third)), (2, 2, 1))
    texture = cv2.remap(cv2.cvtColor(sheet, cv2.COLOR_RGB2RGBA), x, y, cv2.INTER_LINEAR)
    return np.asarray(texture, np.uint8)


def _wrapped(coordinates: NDArray[np.floating]) -> Floats:
    """Coordinates within one tile."""
    return np.asarray(coordinates - np.floor(coordinates / SIDE) * SIDE, np.float32)


def _draw_line(part: Part, colour: RGB, canvas: Bytes) -> None:
    """Lines are too thin for light to change along them."""
    red, green, blue = (min(255, round(value * part.tone * 1.03)) for value in colour)
    thickness = max(1, round(part.width * _SCALE))
    outline = [_fixed(part.points * _SCALE)]
    ink = (red, green, blue, 255)
    cv2.polylines(canvas, outline, False, ink, thickness, cv2.LINE_AA, _FIXED)


def _lay(part: Part, paint: Bytes, canvas: Bytes) -> None:
    """Paint one part over what is there."""
    left, top, right, bottom = _box(part)
    if right <= left or bottom <= top:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    outline = [_fixed(part.points * _SCALE - (left, top))]
    cv2.fillPoly(mask, outline, 255, cv2.LINE_AA, _FIXED)
    here = np.s_[top:bottom, left:right]
    light = cv2.multiply(_light(part, mask), mask, scale=1 / 255)
    over = cv2.merge([light, light, light, cv2.convertScaleAbs(mask, alpha=_LIT / 255)])
    under = cv2.merge([255 - mask] * 4)
    canvas[here] = cv2.add(
        cv2.multiply(over, paint[here], scale=1 / _LIT),
        cv2.multiply(under, canvas[here], scale=1 / 255),
    )


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.asarray(np.rint(points * 2**_FIXED), np.int32)


def _box(part: Part) -> tuple[int, int, int, int]:
    low = ((part.points.min(axis=0) - 0.6) * _SCALE).tolist()
    high = ((part.points.max(axis=0) + 0.6) * _SCALE).tolist()
    left, top = (max(0, math.floor(edge)) for edge in low)
    right, bottom = (min(CANVAS, math.ceil(edge)) for edge in high)
    return left, top, right, bottom


def _light(part: Part, mask: Bytes) -> Bytes:
    """How bright each pixel of a part is, around _LIT."""
    height, width = mask.shape
    u, v = _ramp(width)[None, :], _ramp(height)[:, None]
    if part.shade == "round":
        light = (1.1 - 0.34 * (u + 0.28) ** 2) - 0.05 * v
    elif part.shade == "ball":
        light = (1.16 - 0.3 * (u + 0.35) ** 2) - 0.3 * (v + 0.4) ** 2
    elif part.shade == "flat":
        light = (1.03 - 0.06 * u) - 0.06 * v
    else:
        swollen = cv2.convertScaleAbs(_cushion(mask), alpha=_LIT * part.tone)
        return np.asarray(cv2.resize(swollen, (width, height)), np.uint8)
    return np.asarray(cv2.convertScaleAbs(light, alpha=_LIT * part.tone), np.uint8)


def _cushion(mask: Bytes) -> Floats:
    """Light from the upper left on something that swells in the middle, at a fifth of its size."""
    height, width = mask.shape
    small = (max(4, width // 5), max(4, height // 5))
    reach = max(1.0, min(small) * 0.14)
    shrunk = cv2.resize(mask, small, interpolation=cv2.INTER_AREA) * np.float32(1 / 255)
    swell = cv2.GaussianBlur(shrunk, (0, 0), reach)
    step = round(reach)
    padded = cv2.copyMakeBorder(swell, step, step, step, step, cv2.BORDER_CONSTANT, value=0)
    slope = padded[2 * step :, 2 * step :] - padded[: -2 * step, : -2 * step]
    down = 0.05 * _ramp(small[1])[:, None]
    return np.asarray(0.9 + 0.14 * swell + 0.16 * slope - down, np.float32)


@lru_cache(maxsize=CANVAS)
def _ramp(length: int) -> Floats:
    """From -1 to 1 in so many steps."""
    return np.linspace(-1, 1, length, dtype=np.float32)
