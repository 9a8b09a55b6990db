"""Files to import: as many different pictures as wanted, written as fast as the disk takes them.

A few pictures are drawn. The others are these again, each with a JPEG comment that says its number: other
bytes, so another SHA-256, another embedding, another place in a pack, but the same pixels. Nothing is a
duplicate to an import, and every picture costs what a drawn one costs; only the search for twins at an
import's end finds far more than a shop has, and what decides by content, a graph's shape, sees crowds.
"""

import struct
from itertools import islice
from pathlib import Path

from benchmarks.drawing import jpegs
from shared.sources.bson import decode, encode
from shared.sources.records import Record

A_PRODUCT = 2
DRAWN = 500
_START, _COMMENT = b"\xff\xd8", b"\xff\xfe"


def numbered(picture: bytes, number: int) -> bytes:
    """The JPEG with a comment as its first segment."""
    comment = _COMMENT + struct.pack(">HQ", 10, number)
    return _START + comment + picture.removeprefix(_START)


def write_feed(path: Path, pictures: int, *, first: int = 0, drawn: int = DRAWN) -> int:
    """Products of two pictures each, whose numbers and ids begin at `first`; the file's bytes."""
    known = jpegs(min(pictures, drawn))
    with path.open("wb") as file:
        for start in range(first, first + pictures, A_PRODUCT):
            shown = range(start, min(start + A_PRODUCT, first + pictures))
            file.write(encode(start, [numbered(known[n % len(known)], n) for n in shown]))
    return path.stat().st_size


def pictures_of(path: Path, count: int | None = None) -> list[bytes]:
    """The first pictures of a file, all of them without a count."""
    records = (one for one in decode(path.read_bytes()) if isinstance(one, Record))
    return list(islice((picture for record in records for picture in record.held), count))
