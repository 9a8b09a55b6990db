"""Files that are there whole and for good, or not at all."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

from shared.ids import ulid

_PREFIX: Final = ".unfinished-"
_ABANDONED_SECONDS: Final = 24 * 3600
_COPY_BYTES: Final = 1 << 20


@contextmanager
def unfinished(folder: Path) -> Iterator[FileIO]:
    """A file under a name that no key can have, which is gone afterwards, published or not.

    Not buffered: what does not fit on the disk is told by the write, not by the end.
    """
    make_folders(folder)
    path = folder / f"{_PREFIX}{ulid()}"
    try:
        with path.open("xb", buffering=0) as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def write_all(file: FileIO, data: bytes) -> int:
    """All of it: an unbuffered file may take a part at a time."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
    return len(data)


def is_unfinished(path: Path) -> bool:
    return path.name.startswith(_PREFIX)


def remove_abandoned(path: Path) -> None:
    """What a killed writer left, once no writer can still be at it."""
    try:
        if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
            path.unlink()
    except FileNotFoundError:
        pass


def publish(path: Path, final: Path) -> None:
    """A second, final name for a finished file; `FileExistsError` where the name is taken.

    A link, for a rename would silently replace what is there.
    """
    make_folders(final.parent)
    _sync(path)
    try:
        os.link(path, final)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _publish_copy(path, final)
    _sync(final.parent)


def _publish_copy(path: Path, final: Path) -> None:
    """For a file that lies on another file system, where a link cannot reach."""
    with unfinished(final.parent) as copy, path.open("rb") as source:
        while data := source.read(_COPY_BYTES):
            write_all(copy, data)
        os.fsync(copy.fileno())
        os.link(str(copy.name), final)


def make_folders(folder: Path) -> None:
    """Like `mkdir -p`, but the folders survive a power cut too."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def read_range(path: Path, offset: int, length: int) -> bytes:
    """Fewer bytes than asked for only where the file ends."""
    parts: list[bytes] = []
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while length and (part := os.pread(descriptor, length, offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
    finally:
        os.close(descriptor)
    return b"".join(parts)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
