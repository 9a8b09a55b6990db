"""What files are read into, whatever their format: ranges, documents, records."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, NamedTuple

Read = Callable[[int, int], bytes]
"""(offset, length) → the bytes there; fewer only where the file ends."""


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """So many whole records that lie together."""

    offset: int
    length: int
    records: int


@dataclass(frozen=True, slots=True)
class BadRecord:
    """What could not be read at an offset of the file, and why; of which product, where it is known."""

    offset: int
    code: str
    detail: str
    product_id: str | None = None


class Document(NamedTuple):
    """One entry of a file, whatever its fields: what JSON can say, and bytes."""

    offset: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """A picture that lies elsewhere."""

    kind: Literal["path", "url", "upload_id"]
    value: str
    others: tuple[str, ...] = ()
    """Other URLs of the same picture, for when the first gives none."""


@dataclass(frozen=True, slots=True)
class Record:
    """A product as the file has it; `fields` are those of its attributes that the file says."""

    offset: int
    product_id: str
    fields: Mapping[str, Any]
    category_id: int | None
    pictures: tuple[bytes | Named, ...]

    @property
    def held(self) -> tuple[bytes, ...]:
        """The pictures that the file holds itself, in order."""
        return tuple(picture for picture in self.pictures if isinstance(picture, bytes))


def file_reader(file: BinaryIO) -> Read:
    """Positioned reads of an open local file; several threads may share it."""
    return lambda offset, length: os.pread(file.fileno(), length, offset)


def slices(data: bytes, base_offset: int) -> Read:
    """Positioned reads of a range that was read already."""
    return lambda offset, length: data[offset - base_offset : offset - base_offset + length]
