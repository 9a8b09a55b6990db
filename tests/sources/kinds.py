"""The formats as tests write them: entries of texts, each in a few manners of its format."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import bson
from bson.objectid import ObjectId

from shared.sources.bson import Bson
from shared.sources.csv import Csv
from shared.sources.formats import Format
from shared.sources.jsonl import Jsonl
from shared.sources.records import BadRecord, Document

Entry = Mapping[str, str]
COLUMNS = ("sku", "title", "note")


@dataclass(frozen=True)
class Kind:
    """A format in one manner: `head` is what a file begins with, `bad` an entry nobody can read."""

    name: str
    format: Format
    write: Callable[[Entry], bytes]
    bad: bytes
    head: bytes = b""
    encoding: str = "utf-8"

    def file(self, entries: Sequence[Entry]) -> bytes:
        return self.head + b"".join(map(self.write, entries))

    def read(self, data: bytes) -> list[Document | BadRecord]:
        return list(self.format.documents(data))

    def read_in_chunks(self, data: bytes, records: int) -> list[Document | BadRecord]:
        found: list[Document | BadRecord] = []
        read = lambda offset, length: data[offset : offset + length]  # noqa: E731
        for piece in self.format.scan(read, len(data), records=records):
            if isinstance(piece, BadRecord):
                found.append(piece)
            else:
                chunk = data[piece.offset : piece.offset + piece.length]
                found += self.format.documents(chunk, piece.offset)
        return found


def _bson(first: Mapping[str, object]) -> Callable[[Entry], bytes]:
    return lambda entry: bson.encode({**first, **entry})


def _jsonl(end: str) -> Callable[[Entry], bytes]:
    return lambda entry: (json.dumps(entry, ensure_ascii=False) + end).encode()


def _csv(name: str, encoding: str, delimiter: str, mark: str = "", end: str = "\n") -> Kind:
    def row(cells: Sequence[str]) -> bytes:
        text = io.StringIO(newline="")
        # The library quotes a carriage return only where it is part of the line's end.
        csv.writer(
            text,
            delimiter=delimiter,
            lineterminator=end,
            quoting=csv.QUOTE_ALL if end == "\n" else csv.QUOTE_MINIMAL,
        ).writerow(cells)
        return text.getvalue().encode(encoding)

    head = mark.encode(encoding) + row(COLUMNS)
    return Kind(
        name,
        Csv(encoding, delimiter, '"', "\n", COLUMNS, len(head)),
        lambda entry: row([entry.get(column, "") for column in COLUMNS]),
        row(["one", "too few"]),
        head,
        encoding,
    )


KINDS = (
    Kind("bson", Bson(), _bson({"_id": 1}), b"\x01\0\0\0\x10_id\0junk"),
    Kind("bson, text ids", Bson(), _bson({"_id": "one"}), b"\x01\0\0\0\x02_id\0junk"),
    Kind("bson, ObjectIds", Bson(), _bson({"_id": ObjectId("0" * 24)}), b"\0" * 9),
    Kind("bson, another id", Bson(), _bson({}), b"\x01\0\0\0\x02sku\0junk"),
    Kind("jsonl", Jsonl(), _jsonl("\n"), b'{"sku": \n'),
    Kind("jsonl, CRLF", Jsonl(), _jsonl("\r\n"), b"\xff\r\n", b"\xef\xbb\xbf"),
    _csv("csv", "utf-8", ",", "\ufeff"),
    _csv("csv, semicolons", "cp1252", ";", end="\r\n"),
    _csv("csv, UTF-16", "utf-16-le", "\t", "\ufeff", end="\r\n"),
    _csv("csv, UTF-16 the other way", "utf-16-be", "|", "\ufeff", end="\r\n"),
)
