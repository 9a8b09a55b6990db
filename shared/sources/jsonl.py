"""Catalogue files of one JSON object a line, in UTF-8; blank lines are stepped over."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared.sources.cutting import chunks, line_ends, rows
from shared.sources.records import BadRecord, ChunkRange, Document, Read, slices

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Jsonl:
    """A `Format`."""

    def scan(
        self, read: Read, size: int, *, start: int = 0, records: int = 64
    ) -> Iterator[ChunkRange | BadRecord]:
        if start == 0 and read(0, min(3, size)) == _BYTE_ORDER_MARK:
            start = 3
        return chunks(rows(read, size, start, line_ends), records)

    def documents(self, data: bytes, base_offset: int = 0) -> Iterator[Document | BadRecord]:
        end = base_offset + len(data)
        marked = base_offset == 0 and data.startswith(_BYTE_ORDER_MARK)
        start = 3 if marked else base_offset
        for stretch in rows(slices(data, base_offset), end, start, line_ends):
            if isinstance(stretch, BadRecord):
                yield stretch
                continue
            first, ends = stretch
            for last in ends:
                yield _document(data, first - base_offset, last - base_offset, base_offset)
                first = last


def _document(data: bytes, first: int, last: int, base: int) -> Document | BadRecord:
    line = data[first:last].lstrip()
    at = last - len(line)
    try:
        fields = json.loads(line.decode())
    except UnicodeDecodeError as error:
        why = f"is not UTF-8 from its byte {error.start:,} on; write the file in UTF-8"
        return _bad(data, at, base, "not_utf8", why)
    except (ValueError, RecursionError) as error:
        return _bad(data, at, base, "not_json", f"is no JSON: {error}")
    if not isinstance(fields, dict):
        return _bad(data, at, base, "wrong_type", "is no JSON object, as {…} is")
    return Document(base + at, fields)


def _bad(data: bytes, at: int, base: int, code: str, why: str) -> BadRecord:
    number = data.count(b"\n", 0, at) + 1
    where = f"line {number:,} of the file" if base == 0 else f"line {number:,} from byte {base:,}"
    return BadRecord(base + at, code, f"The record at byte {base + at:,} ({where}) {why}.")
