"""What the leading bytes of a picture tell, read without decoding it and without any library.

Trust no name and no Content-Type: the magic bytes decide, and the limits hold before a decoder runs.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import Invalid, TooLarge, Undecodable, WrongMediaType
from shared.images import MAX_PICTURE_BYTES, MAX_PIXELS, MAX_SIDE, Crop

_MAX_STEPS = 2_000
"""Segments or chunks walked at most: a header made to keep us busy is refused."""
_ORIENTATION_TAG = 0x0112
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset(range(0xD0, 0xD9)) | {0x01}
_JPEG_SCAN_OR_END = (0xDA, 0xD9)
_VP8X_HAS_EXIF = 0x08


@dataclass(frozen=True, slots=True)
class Header:
    """A picture's kind and its sides as a viewer sees them, EXIF orientation (1 to 8) applied."""

    media_type: str
    width: int
    height: int
    orientation: int = 1


def sniff(data: bytes) -> Header:
    """The header of a JPEG, PNG or WebP within the limits; refuses all else with the reason."""
    if len(data) > MAX_PICTURE_BYTES:
        raise TooLarge(
            f"The picture has {len(data):,} bytes; at most {MAX_PICTURE_BYTES:,} are taken."
        )
    try:
        header = _header(data)
    except (struct.error, IndexError) as error:
        raise Undecodable("The picture ends inside its header: send the whole file.") from error
    _check_sides(header)
    return header


def check_crop(crop: Crop) -> None:
    """Refuses a crop that is empty or reaches out of the picture."""
    inside = crop.x >= 0 and crop.y >= 0 and crop.x + crop.width <= 1 and crop.y + crop.height <= 1
    if not (inside and crop.width > 0 and crop.height > 0):
        raise Invalid(
            "A crop is given in fractions of the picture and must lie inside it: "
            f"x={crop.x}, y={crop.y}, width={crop.width}, height={crop.height} does not.",
            code="bad_crop",
        )


def _header(data: bytes) -> Header:
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    raise WrongMediaType(
        f"The bytes are no JPEG, PNG or WebP; they begin with {data[:8].hex(' ') or 'nothing'}."
    )


def _check_sides(header: Header) -> None:
    width, height = header.width, header.height
    if width < 1 or height < 1:
        raise Undecodable(f"The header says {width} x {height} pixels: there is no picture in it.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise TooLarge(
            f"The picture is {width:,} x {height:,} pixels; at most {MAX_SIDE:,} a side "
            f"and {MAX_PIXELS:,} in all are taken: send a smaller one."
        )


def _upright(media_type: str, width: int, height: int, orientation: int) -> Header:
    turned = orientation >= 5  # the four that lie on their side
    sides = (height, width) if turned else (width, height)
    return Header(media_type, *sides, orientation)


def _jpeg(data: bytes) -> Header:
    orientation = 1
    for marker, body in _jpeg_segments(data):
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            orientation = _orientation(body[6:])
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", body, 1)
            return _upright("image/jpeg", width, height, orientation)
        elif marker in _JPEG_SCAN_OR_END:
            break
    raise Undecodable("The JPEG tells no size before its pixels begin: the file is damaged.")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2
    for _ in range(_MAX_STEPS):
        lead, marker = data[at], data[at + 1]
        if lead != 0xFF:
            raise Undecodable(f"The JPEG header is damaged at byte {at}.")
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        else:
            (length,) = struct.unpack_from(">H", data, at + 2)
            yield marker, data[at + 4 : at + 2 + length]
            at += 2 + max(2, length)
    raise Undecodable("The JPEG header has too many parts: the file is damaged.")


def _png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise Undecodable("The PNG does not begin with its header: the file is damaged.")
    width, height = struct.unpack_from(">II", data, 16)
    return _upright("image/png", width, height, _png_orientation(data))


def _png_orientation(data: bytes) -> int:
    at = 8
    for _ in range(_MAX_STEPS):
        if at + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"eXIf":
            return _orientation(data[at + 8 : at + 8 + length])
        if kind == b"IDAT":
            break
        at += 12 + length
    return 1


def _webp(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8X":
        return _webp_extended(data)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("image/webp", width & 0x3FFF, height & 0x3FFF)
    raise Undecodable("The WebP holds no kind of picture that is known: the file is damaged.")


def _webp_extended(data: bytes) -> Header:
    flags = data[20]
    (sides,) = struct.unpack_from("<6s", data, 24)
    width = int.from_bytes(sides[:3], "little") + 1
    height = int.from_bytes(sides[3:], "little") + 1
    orientation = _webp_orientation(data) if flags & _VP8X_HAS_EXIF else 1
    return _upright("image/webp", width, height, orientation)


def _webp_orientation(data: bytes) -> int:
    at = 12
    for _ in range(_MAX_STEPS):
        if at + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return _orientation(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        at += 8 + length + length % 2
    return 1


def _orientation(tiff: bytes) -> int:
    """The EXIF orientation; 1 where EXIF is damaged, for viewers ignore it then too."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(min(count, _MAX_STEPS)):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
