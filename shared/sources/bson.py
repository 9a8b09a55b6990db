"""Catalogue files in Cdiscount's format: BSON records one after the other, read a range at a time.

A record is `{_id: int, category_id?: int, imgs: [{picture: <binary>}, …]}`, and may hold more plain
fields. Nothing that stands in a file raises: a record that is wrong becomes a `BadRecord` with its
offset, and its neighbours are read all the same.
"""

import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.decimal128 import Decimal128
from bson.errors import BSONError
from bson.objectid import ObjectId

from shared.products import MAX_IMAGES
from shared.sources.records import BadRecord, ChunkRange, Read, Record

MIN_RECORD_BYTES = 5
MAX_RECORD_BYTES = 16 * 1024 * 1024 + 16 * 1024
"""MongoDB's limit for a document, with the slack that it allows itself."""
CHUNK_BYTES = 32 * 1024 * 1024
"""A chunk is closed early when its records are large: a worker holds it in memory."""

_BLOCK_BYTES = 1024 * 1024
_INT32 = struct.Struct("<i")
_WHOLE_NUMBERS = (0x10, 0x12)
_START_BYTES = 9
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_MAX_DEPTH = 8


class _Refused(Exception):
    """A record is not what the format asks: a code and a sentence."""


def scan(
    read: Read, size: int, *, start: int = 0, records: int = 64
) -> Iterator[ChunkRange | BadRecord]:
    """Divide a file into ranges of at most `records` records, in order, by length prefixes alone.

    `start` is any record boundary: the end of a range seen before. After a record that cannot be
    followed, the scan goes on at the next place that looks like the start of one.
    """
    window = _Window(read, size)
    first = offset = start
    count = 0
    while offset < size:
        length, flaw = _frame(window, offset)
        if flaw is None:
            offset += length
            count += 1
            if count < records and offset - first < CHUNK_BYTES:
                continue
        if count:
            yield ChunkRange(first, offset - first, count)
        if flaw is not None:
            yield flaw
            offset = _next_record(window, offset)
        first, count = offset, 0
    if count:
        yield ChunkRange(first, offset - first, count)


def decode(data: bytes, base_offset: int = 0) -> Iterator[Record | BadRecord]:
    """The records of a range in order; `base_offset` is where in the file the range begins."""
    for piece in scan(lambda offset, length: data[offset : offset + length], len(data), records=1):
        offset = base_offset + piece.offset
        if isinstance(piece, BadRecord):
            yield replace(piece, offset=offset)
            continue
        yield _record(data[piece.offset : piece.offset + piece.length], offset)


def encode(
    product_id: int,
    pictures: Iterable[bytes],
    *,
    category_id: int | None = None,
    extras: Mapping[str, Any] | None = None,
) -> bytes:
    """One record; a file is nothing but records one after the other."""
    known = {} if category_id is None else {"category_id": category_id}
    images = [{"picture": picture} for picture in pictures]
    return bson.encode({"_id": product_id, **known, "imgs": images, **(extras or {})})


def encode_document(fields: Mapping[str, Any]) -> bytes:
    """One document of whatever fields, as staging writes them; values are JSON's, and bytes."""
    return bson.encode(fields)


class _Window:
    """A file seen through one block, read ahead from wherever it was last asked for."""

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self._start = 0
        self._block = b""

    def block(self, offset: int, length: int) -> tuple[bytes, int]:
        """A block and where in it `length` bytes from `offset` begin; it ends early at the end."""
        at = offset - self._start
        if not 0 <= at <= len(self._block) - length:
            self._start, at = offset, 0
            self._block = self._read(offset, min(_BLOCK_BYTES, self.size - offset))
        return self._block, at


def _frame(window: _Window, offset: int) -> tuple[int, BadRecord | None]:
    """The length of the record at an offset, or why there is none that can be followed."""
    block, at = window.block(offset, 4)
    if len(block) - at < 4:
        return 0, _torn(offset, f"its length needs 4 bytes and the file has {len(block) - at}")
    (length,) = _INT32.unpack_from(block, at)
    if not MIN_RECORD_BYTES <= length <= MAX_RECORD_BYTES:
        return 0, _bad_length(offset, length)
    if offset + length > window.size:
        left = window.size - offset
        return 0, _torn(offset, f"it should have {length:,} bytes and the file has {left:,} more")
    block, at = window.block(offset + length - 1, 1)
    if block[at : at + 1] != b"\0":
        return 0, BadRecord(
            offset, "bad_end", f"The record at byte {offset:,} does not end where its length says."
        )
    return length, None


def _torn(offset: int, why: str) -> BadRecord:
    return BadRecord(
        offset,
        "torn_record",
        f"The record at byte {offset:,} is cut off: {why}. Copy the file again.",
    )


def _bad_length(offset: int, length: int) -> BadRecord:
    return BadRecord(
        offset,
        "bad_length",
        f"The record at byte {offset:,} says it has {length:,} bytes; a record has "
        f"{MIN_RECORD_BYTES} to {MAX_RECORD_BYTES:,}. The file is damaged there.",
    )


def _next_record(window: _Window, bad: int) -> int:
    """Where after a bad record something looks like a record again, or the end of the file."""
    offset = bad + 1
    while offset < window.size:
        block, at = window.block(offset, _START_BYTES)
        for start in _starts(block, at):
            candidate = offset + start - at
            (length,) = _INT32.unpack_from(block, start)
            if MIN_RECORD_BYTES <= length <= min(MAX_RECORD_BYTES, window.size - candidate):
                return candidate
        if len(block) - at < _START_BYTES:
            break
        # A start may lie across two blocks, so the last bytes are looked at again.
        offset += len(block) - at - _START_BYTES + 1
    return window.size


def _starts(block: bytes, at: int) -> Iterator[int]:
    """Where a record may begin: four bytes of length, then a whole number named `_id`."""
    name = block.find(b"_id\0", at + 5)
    while name >= 0:
        if block[name - 1] in _WHOLE_NUMBERS:
            yield name - 5
        name = block.find(b"_id\0", name + 1)


def _record(data: bytes, offset: int) -> Record | BadRecord:
    try:
        return _checked(bson.decode(data, _OPTIONS), offset)
    except BSONError as error:
        return BadRecord(
            offset, "unreadable", f"The record at byte {offset:,} is no BSON: {error}."
        )
    except _Refused as refused:
        code, why = refused.args
        return BadRecord(offset, code, f"The record at byte {offset:,} {why}.")


def _checked(document: dict[str, Any], offset: int) -> Record:
    product_id = _whole(document.pop("_id", None), "_id")
    category_id = document.pop("category_id", None)
    if category_id is not None:
        category_id = _whole(category_id, "category_id")
    pictures = _pictures(document.pop("imgs", None))
    return Record(offset, str(product_id), _plain_fields(document, 0), category_id, pictures)


def _whole(value: object, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise _Refused("wrong_type", f"has {_named(value)} as {name}, which must be a whole number")


def _pictures(value: object) -> tuple[bytes, ...]:
    if value is None:
        raise _Refused("missing_imgs", "has no imgs, the list of its pictures")
    if not isinstance(value, list):
        raise _Refused("wrong_type", f"has {_named(value)} as imgs, which must be a list")
    if not 1 <= len(value) <= MAX_IMAGES:
        raise _Refused(
            "picture_count", f"has {len(value)} pictures; a product has 1 to {MAX_IMAGES}"
        )
    return tuple(_picture(item, n) for n, item in enumerate(value))


def _picture(item: object, n: int) -> bytes:
    picture = item.get("picture") if isinstance(item, dict) else item
    if isinstance(item, dict) and isinstance(picture, bytes):
        return bytes(picture)
    raise _Refused(
        "wrong_type", f"has {_named(picture)} as imgs[{n}].picture, which must be binary"
    )


def _plain_fields(document: Mapping[str, Any], depth: int) -> dict[str, Any]:
    plain = {name: _plain(value, depth) for name, value in document.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _plain(value: object, depth: int) -> object:
    """What JSON can say of a value: None for bytes, code and whatever is nested too deep."""
    if isinstance(value, dict | list):
        return _nested(value, depth + 1) if depth < _MAX_DEPTH else None
    return next((say(value) for kind, say in _SAYINGS if isinstance(value, kind)), None)


def _nested(value: dict[str, Any] | list[Any], depth: int) -> object:
    if isinstance(value, dict):
        return _plain_fields(value, depth)
    return [plain for item in value if (plain := _plain(item, depth)) is not None]


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _number(value: Decimal128) -> float | None:
    number = value.to_decimal()
    return _finite(float(number)) if number.is_finite() else None


_SAYINGS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (str, str),
    (bool, bool),
    (int, int),
    (float, _finite),
    (Decimal128, _number),
    (datetime, datetime.isoformat),
    (ObjectId, str),
)


def _named(value: object) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
