"""Photos of a painted thing: from where it is seen, on what ground, in what light."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.sample.kinds import KINDS
from lookalike.sample.painting import CANVAS, DEFAULT_COLOURS, Bytes, Design, Floats, paint
from lookalike.sample.palettes import RGB
from lookalike.sample.paths import Form

SIDE = 180
Ground = Literal["studio", "table", "spot"]


@dataclass(frozen=True, slots=True)
class View:
    """How one photo is taken; `shift` is in fractions of the picture, `turn` in degrees."""

    zoom: float = 1.0
    turn: float = 0.0
    mirrored: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    ground: Ground = "studio"
    tint: RGB = (238, 236, 232)


FRONT = View()


def draw(
    kind: str,
    pattern: str = "plain",
    colours: Sequence[str | RGB] = (),
    *,
    scale: float = 1.0,
    angle: float = 0.0,
    form: Form = (0.0, 0.0, 0.0),
    view: View = FRONT,
) -> Bytes:
    """A picture of a thing, SIDE by SIDE, RGB; colours left out are teal, cream and coral."""
    chosen = [*colours, *DEFAULT_COLOURS[len(colours) :]]
    design = Design(pattern, (chosen[0], chosen[1], chosen[2]), scale, angle)
    return photo(paint(kind, design, form), view, lying=KINDS[kind].lying)


def photo(thing: Bytes, view: View, *, lying: bool) -> Bytes:
    """Photograph a painted thing, standing on its ground or lying on it."""
    seen = cv2.warpAffine(thing, _matrix(view), (SIDE, SIDE))
    opacity = np.asarray(cv2.extractChannel(seen, 3), np.uint8)
    light = cv2.resize(_lit(opacity, lying=lying), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    through = cv2.multiply(light, 255 - opacity, scale=1 / 255)
    ground = cv2.multiply(
        _ground(view.ground, view.tint), cv2.cvtColor(through, cv2.COLOR_GRAY2RGB), scale=1 / 255
    )
    return np.asarray(cv2.add(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), ground), np.uint8)


def _matrix(view: View) -> NDArray[np.float64]:
    """From the canvas, whose middle becomes the middle of the photo, to the photo."""
    scale = 0.86 * SIDE / CANVAS * view.zoom
    rotation = cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), view.turn, scale)
    matrix = np.asarray(rotation, np.float64)
    matrix[:, 2] += SIDE / 2 - CANVAS / 2 + np.array(view.shift) * SIDE
    if view.mirrored:
        matrix[0] = -matrix[0]
        matrix[0, 2] += SIDE
    return matrix


def _lit(opacity: Bytes, *, lying: bool) -> Bytes:
    """How much light the thing leaves to its ground, a quarter as wide and high."""
    small = cv2.resize(opacity, (SIDE // 4, SIDE // 4), interpolation=cv2.INTER_AREA)
    quarter = small * np.float32(1 / 255)
    if lying:
        dark = 0.36 * _cast(quarter, 1.2, 1.8, 2.0)
    else:
        dark = 0.13 * _cast(quarter, 1.8, 1.2, 3.0) + _contact(quarter)
    return np.asarray(cv2.convertScaleAbs(1 - dark, alpha=255), np.uint8)


def _cast(opacity: Floats, right: float, down: float, reach: float) -> Floats:
    shift = np.array([[1, 0, right], [0, 1, down]], np.float64)
    moved = cv2.warpAffine(opacity, shift, opacity.shape[::-1])
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), reach), np.float32)


def _contact(opacity: Floats) -> Floats:
    """The dark, flat pool where a standing thing meets its ground."""
    rows = np.flatnonzero(opacity.max(axis=1) > 0.5)
    pool = np.zeros_like(opacity)
    if not len(rows) or rows[-1] >= len(opacity) - 2:
        return pool
    columns = np.flatnonzero(opacity[max(rows[-1] - 5, 0) : rows[-1] + 1].max(axis=0) > 0.5)
    middle = (int(columns.mean()), int(rows[-1]))
    cv2.ellipse(pool, middle, (int(np.ptp(columns) * 0.6) + 1, 2), 0, 0, 360, 0.42, -1, cv2.LINE_8)
    return np.asarray(cv2.GaussianBlur(pool, (0, 0), 2.2, sigmaY=1.1), np.float32)


@lru_cache(maxsize=128)
def _ground(ground: Ground, tint: RGB) -> Bytes:
    """An empty picture."""
    across = np.linspace(-1, 1, SIDE, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, SIDE, dtype=np.float32)[:, None]
    light = 1.03 - 0.05 * (across**2 + down**2) - 0.02 * down
    if ground == "table":
        floor = 1 / (1 + np.exp(-(down - 0.42) * 60))
        light = light - floor * (0.085 - 0.05 * down)
    elif ground == "spot":
        disc = 1 / (1 + np.exp((np.hypot(across, down) - 0.82) * 70))
        light = 0.95 + 0.06 * disc - 0.02 * down
    empty = np.asarray(light)[..., None] * np.array(tint)
    return np.asarray(empty.clip(0, 255) + 0.5, np.uint8)
