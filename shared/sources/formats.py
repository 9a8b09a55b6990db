"""What a catalogue file may be written in: each format cut into ranges and read, the same way."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

from shared.sources.bson import Bson
from shared.sources.csv import Csv
from shared.sources.jsonl import Jsonl
from shared.sources.records import BadRecord, ChunkRange, Document, Read
from shared.sources.sniffing import HEAD_BYTES, sniff

FormatName = Literal["bson", "jsonl", "csv"]


class Format(Protocol):
    """Nothing that stands in a file raises: what is wrong is a `BadRecord`, its neighbours stand.

    Ranges hold whole records, in order, and overlap nowhere; reading them one by one gives what
    reading the file at once gives.
    """

    def scan(
        self, read: Read, size: int, *, start: int = 0, records: int = 64
    ) -> Iterator[ChunkRange | BadRecord]:
        """Ranges of at most `records` records from `start` on: 0, or the end of a range."""
        ...

    def documents(self, data: bytes, base_offset: int = 0) -> Iterator[Document | BadRecord]:
        """What a range holds, in order; `base_offset` is where in the file it begins."""
        ...


def format_of(name: FormatName, dialect: Mapping[str, Any]) -> Format:
    """The format of an import, with the dialect that its file was found to have."""
    match name:
        case "bson":
            return Bson()
        case "jsonl":
            return Jsonl()
        case "csv":
            return Csv.of(dialect)


def dialect_of(name: FormatName, read: Read, size: int) -> Mapping[str, Any]:
    """Found once and kept with the import, as JSON, so that every range is read the same way.

    Raises `Invalid` where a CSV file has no header that names its columns.
    """
    return sniff(read(0, min(size, HEAD_BYTES))) if name == "csv" else {}
