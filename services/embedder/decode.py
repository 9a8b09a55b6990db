"""Bytes to pixels: upright RGB, one library a format, so that no vector depends on who decoded.

JPEG is simplejpeg's, PNG and WebP are OpenCV's. Decoding is strict: a picture without its end is
refused, for half a grey picture would get a confident and wrong vector.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from shared.errors import Undecodable
from shared.images import THUMBNAIL_SIDE, Crop
from shared.pictures import check_crop, sniff

Pixels = NDArray[np.uint8]

ENOUGH_SIDE = 320
"""A JPEG whose sides are at least twice this is decoded at a half, a quarter or an eighth."""
_THUMBNAIL_QUALITY = 85
_HASH_SIDE = 32


@dataclass(frozen=True, slots=True)
class Picture:
    """Upright RGB pixels, perhaps fewer than the `width` x `height` that the file holds."""

    pixels: Pixels
    width: int
    height: int


def decode(data: bytes, crop: Crop | None = None) -> Picture:
    """The whole picture, with pixels enough that `crop` of it still has `ENOUGH_SIDE` a side."""
    header = sniff(data)
    if header.media_type == "image/jpeg":
        pixels = _decode_jpeg(data, _side_wanted(crop))
    else:
        pixels = _decode_other(data, header.media_type)
    return Picture(_upright(pixels, header.orientation), header.width, header.height)


def cut(pixels: Pixels, crop: Crop) -> Pixels:
    """The part of a picture that `crop` names, at least one pixel of it."""
    check_crop(crop)
    height, width = pixels.shape[:2]
    left, top = math.floor(crop.x * width), math.floor(crop.y * height)
    right = max(left + 1, round((crop.x + crop.width) * width))
    bottom = max(top + 1, round((crop.y + crop.height) * height))
    return pixels[top:bottom, left:right]


def thumbnail(picture: Picture) -> bytes | None:
    """A JPEG of at most `THUMBNAIL_SIDE` a side; None where the original is that small."""
    longest = max(picture.width, picture.height)
    if longest <= THUMBNAIL_SIDE:
        return None
    width = max(1, round(picture.width * THUMBNAIL_SIDE / longest))
    height = max(1, round(picture.height * THUMBNAIL_SIDE / longest))
    small = cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_AREA)
    return bytes(simplejpeg.encode_jpeg(small, quality=_THUMBNAIL_QUALITY))


def perceptual_hash(pixels: Pixels) -> str:
    """64 bits in hex; few of them differ between two savings of one picture."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:8, :8].ravel()
    others = low[1:]  # the first is the mean brightness and tells nothing
    bits = low > np.partition(others, len(others) // 2)[len(others) // 2]
    return np.packbits(bits).tobytes().hex()


def _side_wanted(crop: Crop | None) -> int:
    if crop is None:
        return ENOUGH_SIDE
    check_crop(crop)
    return math.ceil(ENOUGH_SIDE / min(crop.width, crop.height))


def _decode_jpeg(data: bytes, side: int) -> Pixels:
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        inks = colours in ("CMYK", "YCCK")
        pixels = simplejpeg.decode_jpeg(
            data,
            colorspace="CMYK" if inks else "RGB",
            min_factor=2 if min(width, height) >= 2 * side else 1,
            min_height=side,
            min_width=side,
        )
    except ValueError as error:
        raise Undecodable(f"The JPEG is damaged or cut off: {error}.") from error
    return _from_inks(pixels) if inks else pixels


def _from_inks(inks: Pixels) -> Pixels:
    """Adobe's way, which all programs follow: inks are stored inverted, 255 is none of it."""
    light = inks[..., :3].astype(np.uint16) * inks[..., 3:]
    return (light // 255).astype(np.uint8)


def _decode_other(data: bytes, media_type: str) -> Pixels:
    kind = media_type.removeprefix("image/")
    try:
        found: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise Undecodable(f"The {kind} is damaged or cut off: {error.err}.") from error
    if found is None:
        raise Undecodable(f"The {kind} is damaged or cut off: its pixels cannot be read.")
    return _to_rgb(found)


def _to_rgb(found: NDArray[np.uint8] | NDArray[np.uint16]) -> Pixels:
    if found.dtype == np.uint16:
        found = (found >> 8).astype(np.uint8)
    if found.ndim == 2:
        return cv2.cvtColor(found, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    if found.shape[2] == 4:
        return _on_white(cv2.cvtColor(found, cv2.COLOR_BGRA2RGBA))
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _on_white(found: NDArray[Any]) -> Pixels:
    alpha = found[..., 3:].astype(np.uint16)
    mixed = found[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """EXIF tells how the camera was held: mirrored for 2, 4, 5, 7; turned for 3, 5 to 8."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
