"""Bytes by key, written once."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BlobInfo:
    key: str
    size: int
    modified: int
    """Milliseconds since 1970, by the store's clock."""


class BlobWriter(Protocol):
    """Takes bytes until it is closed; nothing is to be seen of them before."""

    def write(self, data: bytes) -> int: ...


class Blobs(Protocol):
    """A key is written once, whole and durably, or not at all (temporary name, fsync, rename; or one PUT).

    Reading what is not there raises `NotFound`; a store that does not answer, `Unavailable`;
    writing a key that is there, `Conflict`. Keys are relative paths without `..`.
    """

    def put(self, key: str, data: bytes) -> None: ...

    def writer(self, key: str) -> AbstractContextManager[BlobWriter]:
        """For streams; leaving the context with an exception leaves nothing behind."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Takes a finished local file over (the file is gone afterwards)."""
        ...

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes: ...

    def size(self, key: str) -> int: ...

    def delete(self, key: str) -> None:
        """What is not there is deleted already."""
        ...

    def list(self, prefix: str) -> Iterator[BlobInfo]: ...

    def local(self, key: str) -> Path:
        """A file that can be mapped; a remote store fetches it into its cache."""
        ...
