"""A folder of pictures as JSON lines: every picture is a product, the folders above it its category.

Ids and titles are those that a folder on the server gets, so that it does not matter which way the
same pictures come.
"""

import base64
import errno
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, Final

from lookalike.client.exchange import Progress

LeftOut = Callable[[Path, str], None]
"""Told a file that is not sent, and why."""

MAX_PICTURE_BYTES: Final = 20 * 1024 * 1024
_MAX_ID, _MAX_TITLE, _MAX_DEPTH, _MAX_NAME = 200, 500, 8, 200
_BETWEEN: Final = "~"
_SUFFIXES: Final = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"),
    *(".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"),
)
_NAMELESS: Final = re.compile(r"[0-9a-fA-F-]{16,}|[\W\d_]*")
"""Stems that say nothing to a reader: digests, UUIDs, numbers."""


def blocks_of(
    root: Path, size: int, progress: Progress | None, left_out: LeftOut | None
) -> Iterator[bytes]:
    """The lines in blocks of at least `size` bytes; `progress` is told bytes of pictures."""
    skip = left_out or _silent
    total = (
        0 if progress is None else sum(_size(root / path) for path, _ in _pictures(root, _silent))
    )
    block, done, empty = bytearray(), 0, True
    for path, place in _pictures(root, skip):
        data = _read(root / path, skip)
        if data is None:
            continue
        empty, done = False, done + len(data)
        block += _line(path, place, data)
        if len(block) >= size:
            yield bytes(block)
            block.clear()
            if progress is not None:
                progress(done, total)
    if empty:
        raise FileNotFoundError(errno.ENOENT, "holds no pictures", str(root))
    yield bytes(block)
    if progress is not None:
        progress(done, total)


def _pictures(root: Path, skip: LeftOut) -> Iterator[tuple[PurePosixPath, int]]:
    """Paths under the root in the order of names, each with its place among those of one stem."""
    waiting = [PurePosixPath()]
    while waiting:
        folder = waiting.pop()
        try:
            found = _listed(root / folder, skip)
        except OSError as error:
            skip(root / folder, _why(error))
            continue
        names = sorted((PurePosixPath(name) for name in found.pictures), key=_parted)
        for _, twins in groupby(names, lambda name: name.stem):
            yield from ((folder / name, place) for place, name in enumerate(twins))
        waiting.extend(folder / name for name in sorted(found.folders, reverse=True))


@dataclass(frozen=True, slots=True)
class _Listing:
    pictures: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def _listed(folder: Path, skip: LeftOut) -> _Listing:
    """What has a hidden name is nobody's business; links to folders are not followed."""
    found = _Listing()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not _is_text(entry.name):
                skip(Path(entry.path), "has a name that is no UTF-8")
            elif entry.is_dir(follow_symlinks=False):
                found.folders.append(entry.name)
            elif entry.name.lower().endswith(_SUFFIXES):
                found.pictures.append(entry.name)
            else:
                skip(Path(entry.path), "is no picture by its name")
    return found


def _read(path: Path, skip: LeftOut) -> bytes | None:
    try:
        if path.stat().st_size > MAX_PICTURE_BYTES:
            skip(path, f"has more than {MAX_PICTURE_BYTES:,} bytes")
            return None
        return path.read_bytes()
    except OSError as error:
        skip(path, _why(error))
        return None


def _line(path: PurePosixPath, place: int, data: bytes) -> bytes:
    product = {**document(path, place), "images": [{"base64": base64.b64encode(data).decode()}]}
    return json.dumps(product).encode() + b"\n"


def document(path: PurePosixPath, place: int) -> dict[str, Any]:
    """The product of a picture at this path under the root, without the picture."""
    folders = path.parent.parts
    return {
        "product_id": _product_id(path, place),
        "title": _title(path.stem, folders)[:_MAX_TITLE],
        "category": [name[:_MAX_NAME] for name in folders[:_MAX_DEPTH]],
    }


def _product_id(path: PurePosixPath, place: int) -> str:
    """The path without its suffix; where that is no id, or another picture's, a digest tells more."""
    parts = path.with_suffix("").parts
    plain = _BETWEEN.join(parts)
    is_id = plain.isprintable() and len(plain) <= _MAX_ID
    if place == 0 and is_id and not any(_BETWEEN in part for part in parts):
        return plain
    digest = blake2b(str(path).encode(), digest_size=6).hexdigest()
    readable = "".join(letter if letter.isprintable() else "_" for letter in plain)
    return f"{readable[: _MAX_ID - len(digest) - 1]}{_BETWEEN}{digest}"


def _title(stem: str, folders: Sequence[str]) -> str:
    if folders and _NAMELESS.fullmatch(stem):
        return folders[-1].replace("_", " ")
    return re.sub(r"[\W_]+", " ", stem).strip()


def _parted(name: PurePosixPath) -> tuple[str, str]:
    return name.stem, name.suffix


def _size(path: Path) -> int:
    """0 where it cannot be told, which reading will find out too."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _silent(_path: Path, _why: str) -> None:
    """For callers who do not ask."""
