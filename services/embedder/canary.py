"""A picture that is certainly good, to tell a picture's fault from the embedder's."""

import struct
import zlib
from typing import Final

_SIDE: Final = 32


def _chunk(kind: bytes, body: bytes) -> bytes:
    checked = kind + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))


def _png() -> bytes:
    """A few coloured squares."""
    rows = (bytes((x * 8, y * 8, (x ^ y) * 8)) for y in range(_SIDE) for x in range(_SIDE))
    pixels = b"".join(rows)
    stride = 3 * _SIDE
    lines = (b"\0" + pixels[at : at + stride] for at in range(0, len(pixels), stride))
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(b"".join(lines))),
            _chunk(b"IEND", b""),
        )
    )


CANARY: Final = _png()
