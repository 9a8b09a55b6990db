"""Catalogue files as MongoDB dumps them: BSON documents one after the other, read a range at a time.

Cdiscount's are `{_id: int, category_id?: int, imgs: [{picture: <binary>}, …]}`.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import bson
from bson.binary import Binary
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion, TypeDecoder, TypeRegistry
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.errors import BSONError
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from shared.sources.cutting import Stretch, chunks
from shared.sources.mapping import FieldMap
from shared.sources.records import BadRecord, ChunkRange, Document, Read, Record, slices

MIN_RECORD_BYTES = 5
MAX_RECORD_BYTES = 16 * 1024 * 1024 + 16 * 1024
"""MongoDB's limit for a document, with the slack that it allows itself."""

_BLOCK_BYTES = 1024 * 1024
_INT32 = struct.Struct("<i")
_LEAD_BYTES = 64
"""As far into a file as the name of its first field is looked for."""
_ID = b"_id\0"
_ID_TYPES = bytes([0x02, 0x07, 0x10, 0x12])
"""Text, ObjectId, whole numbers."""
_TYPES = bytes(range(0x01, 0x14))


class _As(TypeDecoder):
    """A type of MongoDB's read as what JSON can say of it, None where it cannot."""

    bson_type: Any = None

    def __init__(self, kind: type, say: Callable[[Any], object]) -> None:
        self.bson_type = kind
        self._say = say

    def transform_bson(self, value: Any) -> object:
        return self._say(value)


def _nothing(_: object) -> None:
    return None


def _number(value: Decimal128) -> float | None:
    number = value.to_decimal()
    return float(number) if number.is_finite() else None


_UNSAID = (Code, DBRef, DatetimeMS, MaxKey, MinKey, Regex, Timestamp)
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    type_registry=TypeRegistry(
        [
            _As(Binary, bytes),
            _As(Decimal128, _number),
            _As(Int64, int),
            _As(ObjectId, str),
            _As(datetime, datetime.isoformat),
            *(_As(kind, _nothing) for kind in _UNSAID),
        ]
    ),
)


@dataclass(frozen=True, slots=True)
class Bson:
    """A `Format`; ranges are found by length prefixes alone.

    After a record that cannot be followed, reading goes on at the next place that looks like the
    start of one.
    """

    def scan(
        self, read: Read, size: int, *, start: int = 0, records: int = 64
    ) -> Iterator[ChunkRange | BadRecord]:
        return chunks(_frames(_Window(read, size), start, 0), records)

    def documents(self, data: bytes, base_offset: int = 0) -> Iterator[Document | BadRecord]:
        window = _Window(slices(data, base_offset), base_offset + len(data), base_offset, data)
        view = memoryview(data)
        for stretch in _frames(window, base_offset, base_offset):
            if isinstance(stretch, BadRecord):
                yield stretch
                continue
            first, ends = stretch
            for last in ends:
                yield _document(view[first - base_offset : last - base_offset], first)
                first = last


def scan(
    read: Read, size: int, *, start: int = 0, records: int = 64
) -> Iterator[ChunkRange | BadRecord]:
    return Bson().scan(read, size, start=start, records=records)


def decode(data: bytes, base_offset: int = 0) -> Iterator[Record | BadRecord]:
    """The records of a range in order, as far as fields have the names that everybody knows."""
    named = FieldMap()
    for document in Bson().documents(data, base_offset):
        yield document if isinstance(document, BadRecord) else named.record(document)


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

    def __init__(self, read: Read, size: int, start: int = 0, block: bytes = b"") -> None:
        self.size = size
        self._read = read
        self._start = start
        self._block = block

    def block(self, offset: int, length: int) -> tuple[bytes, int]:
        """A block and where in it `length` bytes from `offset` begin; it ends early at the end."""
        at = offset - self._start
        if not 0 <= at <= len(self._block) - length:
            self._start, at = offset, 0
            self._block = self._read(offset, min(_BLOCK_BYTES, self.size - offset))
        return self._block, at


def _frames(window: _Window, start: int, first: int) -> Iterator[Stretch | BadRecord]:
    """Record by record from `start` on; a record is known at `first`, where the file or range begins."""
    offset, lead = start, b""
    while offset < window.size:
        block, at = window.block(offset, 4)
        if ends := _whole(block, at, offset - at):
            yield offset, ends
            offset = ends[-1]
            continue
        length, flaw = _frame(window, offset)
        if flaw is None:
            yield offset, [offset + length]
            offset += length
        else:
            yield flaw
            lead = lead or _lead(window, first)
            offset = _next_record(window, offset, lead)


def _whole(block: bytes, at: int, start: int) -> list[int]:
    """Where the records end that lie in a block from end to end; the block begins at `start`."""
    ends: list[int] = []
    last = len(block)
    while at + 4 <= last:
        (length,) = _INT32.unpack_from(block, at)
        at += length
        if not MIN_RECORD_BYTES <= length <= MAX_RECORD_BYTES or at > last or block[at - 1]:
            break
        ends.append(start + at)
    return ends


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


def _next_record(window: _Window, bad: int, lead: bytes) -> int:
    """Where after a bad record something looks like a record again, or the end of the file."""
    reach = 5 + len(lead)
    offset = bad + 1
    while offset < window.size:
        block, at = window.block(offset, reach)
        for start in _starts(block, at, lead):
            candidate = offset + start - at
            (length,) = _INT32.unpack_from(block, start)
            if MIN_RECORD_BYTES <= length <= min(
                MAX_RECORD_BYTES, window.size - candidate
            ) and _stands_alone(window, candidate + length, lead):
                return candidate
        if len(block) - at < reach:
            break
        # A start may lie across two blocks, so the last bytes are looked at again.
        offset += len(block) - at - reach + 1
    return window.size


def _starts(block: bytes, at: int, lead: bytes) -> Iterator[int]:
    """Where a record may begin: four bytes of length, then the type and name of its first field."""
    types = _types(lead)
    name = block.find(lead, at + 5)
    while name >= 0:
        if block[name - 1] in types:
            yield name - 5
        name = block.find(lead, name + 1)


def _stands_alone(window: _Window, end: int, lead: bytes) -> bool:
    """Whether what ends here is a record, and not a document within one.

    No document within a record begins with `_id` as a rule; one that begins as records do is told
    apart by what follows it, which is never the beginning of a record.
    """
    if lead == _ID or end == window.size:
        return True
    block, at = window.block(end, 5 + len(lead))
    return block[at + 5 : at + 5 + len(lead)] == lead and block[at + 4] in _types(lead)


def _types(lead: bytes) -> bytes:
    return _ID_TYPES if lead == _ID else _TYPES


def _lead(window: _Window, first: int) -> bytes:
    """The name with which records begin: what wrote the first one wrote them all."""
    block, at = window.block(first, min(_LEAD_BYTES, window.size - first))
    name, end, _ = block[at + 5 : at + _LEAD_BYTES].partition(b"\0")
    return name + end if name and end and block[at + 4] in _TYPES else _ID


def _document(record: memoryview, offset: int) -> Document | BadRecord:
    try:
        return Document(offset, bson.decode(record, _OPTIONS))
    except BSONError as error:
        return BadRecord(
            offset, "unreadable", f"The record at byte {offset:,} is no BSON: {error}."
        )
