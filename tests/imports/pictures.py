"""Pictures drawn for imports: patches of colours that no two seeds share, in every odd way to write one."""

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

WIDTH: Final = 96
HEIGHT: Final = 64


def patches(seed: int) -> Pixels:
    """RGB; none of its eight orientations looks like another."""
    colours = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    large = cv2.resize(colours, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)


def jpeg(seed: int) -> bytes:
    return of_pixels(patches(seed))


def of_pixels(pixels: Pixels) -> bytes:
    return bytes(
        simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=95, colorsubsampling="444")
    )


def written(pixels: NDArray[Any], suffix: str, *options: int) -> bytes:
    """By OpenCV, which has its colours the other way round."""
    done, data = cv2.imencode(suffix, pixels[..., ::-1] if pixels.ndim == 3 else pixels, options)
    assert done
    return bytes(data.tobytes())


def grey(seed: int) -> Pixels:
    return np.asarray(cv2.cvtColor(patches(seed), cv2.COLOR_RGB2GRAY), np.uint8)


def cmyk_jpeg(seed: int) -> bytes:
    """As Adobe writes it: inks inverted, and no black."""
    inks = np.dstack([patches(seed), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(inks), 95, "CMYK", "444"))


def deep_png(seed: int) -> bytes:
    return written(patches(seed).astype(np.uint16) * 257, ".png")


def progressive_jpeg(seed: int) -> bytes:
    options = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 95)
    return written(patches(seed), ".jpg", *options)


def palette_png(seed: int) -> bytes:
    """Every pixel the number of a colour, as tools that save bytes write it."""
    colours, numbers = np.unique(patches(seed).reshape(-1, 3), axis=0, return_inverse=True)
    rows = numbers.reshape(HEIGHT, WIDTH).astype(np.uint8)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [(b"IHDR", header), (b"PLTE", colours.tobytes()), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_part(*part) for part in parts)


def animated(seed: int, suffix: str) -> bytes:
    """The picture first, then black."""
    first = np.ascontiguousarray(patches(seed)[..., ::-1])
    animation = cv2.Animation()
    animation.frames = [first, np.zeros_like(first)]
    animation.durations = [100, 100]
    done, data = cv2.imencodeanimation(suffix, animation, [cv2.IMWRITE_WEBP_QUALITY, 101])
    assert done
    return bytes(data.tobytes())


def monstrous_png(seed: int, side: int = 60_000) -> bytes:
    """A header that asks for gigabytes, before the pixels of a small picture."""
    small = written(patches(seed), ".png")
    return (
        small[:8] + _png_part(b"IHDR", struct.pack(">II", side, side) + small[24:29]) + small[33:]
    )


def monstrous_jpeg(seed: int, side: int = 60_000) -> bytes:
    data = bytearray(jpeg(seed))
    data[(at := data.index(b"\xff\xc0") + 5) : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


HELD: Final[Mapping[int, Callable[[Pixels], NDArray[Any]]]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""What a camera stores that is held so, by the number that EXIF gives it."""


def turned_jpeg(seed: int, orientation: int) -> bytes:
    plain = of_pixels(HELD[orientation](patches(seed)))
    tag = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM" + struct.pack(">HIH", 42, 8, 1) + tag + bytes(4)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]


def _png_part(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
