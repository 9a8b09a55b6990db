"""Sources that cannot be cut by byte range become BSON documents, one after the other, in one blob.

From there on they go the way of every BSON file: chunks, workers, counters, resuming.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from services.embedder.staging import folder, imaterialist, parquet
from services.embedder.staging.documents import Entry, Oddity, Ranged, Source, plain
from shared.errors import Invalid
from shared.sources.bson import MAX_RECORD_BYTES, encode_document

StagedFormat = Literal["parquet", "folder", "imaterialist"]
Tell = Callable[[int, int], bool]
"""(bytes of the source read so far, its size) → whether to go on; a folder has no size: both are 0."""

_TELL_EVERY: Final = 1.0
"""Seconds."""
_SHORT: Final = 1_000


class Stopped(Exception):
    """The caller said not to go on: what was written is of no use."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What was written. `oddities` has, per code, how many there were and a sentence on the first."""

    records: int
    size: int
    oddities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def documents_of(
    format_: StagedFormat, source: Source, *, label: str | None = None, download: bool = False
) -> Generator[Entry, None, None]:
    """The documents of a source, in an order that is the same each time; memory does not grow.

    `label` and `download` speak of iMaterialist alone. Raises `Invalid` where the source is damaged.
    """
    match format_, source:
        case "parquet", Ranged():
            return parquet.rows(source)
        case "imaterialist", Ranged():
            return imaterialist.images(source, label=label, download=download)
        case "folder", Ranged():
            raise Invalid("Only a folder of the server can be imported as a folder.")
        case "folder", Path() as root:
            return folder.pictures(root)
        case _:
            raise Invalid(f"A folder cannot be read as {format_}: name the file in it.")


def stage(
    format_: StagedFormat,
    source: Source,
    write: Callable[[bytes], object],
    tell: Tell = lambda done, size: True,  # noqa: ARG005 - names say what comes
    *,
    label: str | None = None,
    download: bool = False,
    limit: int | None = None,
) -> Staged:
    """Writes the documents of a source, `limit` of them at most; `tell` hears of it every second.

    Raises `Invalid` where the source is damaged and `Stopped` when `tell` says so: either way what
    was written is to be thrown away, and staging begins anew.
    """
    progress = _Progress(tell, source.size if isinstance(source, Ranged) else 0)
    if isinstance(source, Ranged):
        source = Ranged(progress.counted(source), source.size)
    pile = _Pile(write)
    with closing(documents_of(format_, source, label=label, download=download)) as entries:
        for entry in entries:
            if pile.records == limit:
                break
            progress.add(0)
            pile.add(entry)
    return Staged(pile.records, pile.size, pile.oddities)


class _Pile:
    """The documents written so far, and what was odd."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.records = 0
        self.size = 0
        self.oddities: dict[str, dict[str, Any]] = {}
        self._write = write

    def add(self, entry: Entry) -> None:
        if isinstance(entry, Oddity):
            kind = self.oddities.setdefault(entry.code, {"count": 0, "first": entry.detail})
            kind["count"] += 1
            return
        data = self._encoded(plain(entry))
        self._write(data)
        self.records += 1
        self.size += len(data)

    def _encoded(self, fields: Mapping[str, Any]) -> bytes:
        data = encode_document(fields)
        if len(data) <= MAX_RECORD_BYTES:
            return data
        self.add(
            Oddity(
                "large_record",
                f"Record {self.records + 1:,} has {len(data):,} bytes; at most "
                f"{MAX_RECORD_BYTES:,} are taken, so it has lost its pictures and long texts.",
            )
        )
        return encode_document({name: value for name, value in fields.items() if _is_short(value)})


class _Progress:
    def __init__(self, tell: Tell, size: int) -> None:
        self._tell = tell
        self._size = size
        self._done = 0
        self._next = time.monotonic()

    def add(self, done: int) -> None:
        self._done = min(self._done + done, self._size)
        if time.monotonic() < self._next:
            return
        if not self._tell(self._done, self._size):
            raise Stopped
        self._next = time.monotonic() + _TELL_EVERY

    def counted(self, source: Ranged) -> Callable[[int, int], bytes]:
        def read(offset: int, length: int) -> bytes:
            data = source.read(offset, length)
            self.add(len(data))
            return data

        return read


def _is_short(value: object) -> bool:
    """Ids, names and numbers are kept of a record that is too large: its failure tells whose it is."""
    return not isinstance(value, bytes | list | dict) and len(str(value)) <= _SHORT
