"""Catalogue files of rows and cells, whose dialect was found once from the file's beginning."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shared.sources.cutting import MAX_LINE_BYTES, Stretch, chunks, line_ends, rows
from shared.sources.records import BadRecord, ChunkRange, Document, Read, slices

# The library's own limit is 128 KiB a cell, less than a picture in base64; it is one for all readers.
csv.field_size_limit(MAX_LINE_BYTES)

_MAX_SPAN = 1024 * 1024
"""A row that goes on over several lines ends within so many characters, or it is one line."""
_BLANK_LINES = re.compile(rb"(?:\s*[\r\n])?")


@dataclass(frozen=True, slots=True)
class Csv:
    """A `Format`. The first row of data begins at `start`; offsets are bytes in any encoding."""

    encoding: str
    delimiter: str
    quotechar: str
    newline: str
    header: tuple[str, ...]
    start: int

    @classmethod
    def of(cls, dialect: Mapping[str, Any]) -> "Csv":
        """From what `dialect_of` found."""
        return cls(
            encoding=dialect["encoding"],
            delimiter=dialect["delimiter"],
            quotechar=dialect["quotechar"],
            newline=dialect["newline"],
            header=tuple(dialect["header"]),
            start=dialect["header_end"],
        )

    def scan(
        self, read: Read, size: int, *, start: int = 0, records: int = 64
    ) -> Iterator[ChunkRange | BadRecord]:
        return chunks(self.rows(read, size, max(start, self.start)), records)

    def documents(self, data: bytes, base_offset: int = 0) -> Iterator[Document | BadRecord]:
        read, end = slices(data, base_offset), base_offset + len(data)
        for stretch in self.rows(read, end, max(base_offset, self.start)):
            if isinstance(stretch, BadRecord):
                yield stretch
                continue
            first, ends = stretch
            for last in ends:
                yield self._document(data[first - base_offset : last - base_offset], first)
                first = last

    def rows(self, read: Read, size: int, start: int) -> Iterator[Stretch | BadRecord]:
        return rows(read, size, start, self._row_ends, newline=self.newline.encode(self.encoding))

    def cells(self, row: bytes) -> list[str]:
        """Raises `UnicodeDecodeError` and `csv.Error`."""
        line = row.decode(self.encoding)
        lines = csv.reader([line], delimiter=self.delimiter, quotechar=self.quotechar, strict=True)
        return [cell.strip() for cell in next(lines, [])]

    @property
    def _width(self) -> int:
        return 2 if self.encoding.startswith("utf-16") else 1

    def _units(self, data: bytes) -> bytes:
        """One byte a unit of the encoding: ASCII as it is, 0xFF for what two bytes say beyond it."""
        if self._width == 1:
            return data
        even = data + b"\0" * (len(data) % 2)
        low, high = (even[::2], even[1::2])[:: 1 if self.encoding == "utf-16-le" else -1]
        beyond = high.translate(b"\0" + b"\xff" * 255)
        merged = int.from_bytes(low, "big") | int.from_bytes(beyond, "big")
        return merged.to_bytes(len(low), "big")

    def _row_ends(self, block: bytes, final: bool) -> list[int]:  # noqa: FBT001
        quote, newline = self.quotechar.encode(), self.newline.encode()
        text = self._units(block)
        ends = line_ends(text, final, newline)
        if quote in text:
            ends = _joined(text, ends, quote, _row_of(self), final=final)
        return ends if self._width == 1 else [min(end * 2, len(block)) for end in ends]

    def _document(self, row: bytes, first: int) -> Document | BadRecord:
        blank = _BLANK_LINES.match(self._units(row))
        skipped = self._width * (blank.end() if blank else 0)
        offset = first + skipped
        try:
            cells = self.cells(row[skipped:])
        except UnicodeDecodeError:
            return _bad(
                offset, "bad_encoding", f"is not {self.encoding}, as the file's beginning is"
            )
        except csv.Error as error:
            why = f"is no row of CSV: {error}; double the quotes within a quoted cell"
            return _bad(offset, "bad_row", why)
        if len(cells) != len(self.header):
            why = f"has {len(cells)} cells and the header names {len(self.header)} columns"
            return _bad(offset, "cell_count", f"{why}; quote cells that hold {self.delimiter!r}")
        named = zip(self.header, cells, strict=True)
        return Document(offset, {name: cell for name, cell in named if cell})


def _joined(
    text: bytes, lines: list[int], quote: bytes, row: re.Pattern[bytes], *, final: bool
) -> list[int]:
    """Lines joined to rows: one with a quote left open goes on to the next such line.

    It does so only where both then read as a row; else the quote is a stray one, and harms no more
    than its own line.
    """
    spans = pairwise([0, *lines])
    odd = [n for n, (first, last) in enumerate(spans) if text.count(quote, first, last) % 2]
    ends: list[int] = []
    taken = n = 0
    while n < len(odd):
        first = lines[odd[n] - 1] if odd[n] else 0
        if n + 1 == len(odd):
            if not final and len(text) - first <= _MAX_SPAN:
                return [*ends, *lines[taken : odd[n]]]
            break
        last = lines[odd[n + 1]]
        if last - first <= _MAX_SPAN and row.fullmatch(text, first, last):
            ends += [*lines[taken : odd[n]], last]
            taken = odd[n + 1] + 1
            n += 1
        n += 1
    return [*ends, *lines[taken:]]


def _row_of(dialect: Csv) -> re.Pattern[bytes]:
    """A whole row; nothing in it is looked at twice, however long it is."""
    d, q, n = (
        re.escape(c.encode()) for c in (dialect.delimiter, dialect.quotechar, dialect.newline)
    )
    quoted = rb"%b[^%b]*+(?:%b%b[^%b]*+)*+%b" % (q, q, q, q, q, q)
    cell = rb"(?:%b|[^%b%b%b][^%b%b]*+|)" % (quoted, d, q, n, d, n)
    return re.compile(rb"(?:\s*%b)?%b(?:%b%b)*+\r?%b?" % (n, cell, d, cell, n))


def _bad(offset: int, code: str, why: str) -> BadRecord:
    return BadRecord(offset, code, f"The record at byte {offset:,} {why}.")
