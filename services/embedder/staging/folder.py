"""Pictures in category folders: every picture is a product, the folders above it its category."""

import os
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, Final

from services.embedder.staging.documents import Entry, Oddity
from shared.attributes import MAX_DEPTH, MAX_TEXT, MAX_TITLE
from shared.errors import Invalid
from shared.products import MAX_ID, is_product_id

_BETWEEN: Final = "~"
_SUFFIXES: Final = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"),
    *(".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"),
)
"""Whatever calls itself a picture: of a kind that is not taken it shall fail, not vanish."""
_NAMELESS: Final = re.compile(r"[0-9a-fA-F-]{16,}|[\W\d_]*")
"""Stems that say nothing to a reader: digests, UUIDs, numbers."""


def pictures(root: Path) -> Generator[Entry, None, None]:
    """A document for each picture, folder by folder, in the order of names; one folder is held.

    Its bytes stay where they are, at `path` under the root. Hidden names are skipped. Links to
    folders are not followed: what they show stands elsewhere under the root, or is no part of it.
    Links to pictures are the worker's to follow, as far as its allowed folders reach.
    """
    waiting = [PurePosixPath()]
    while waiting:
        folder = waiting.pop()
        try:
            found = _listed(root / folder)
        except OSError as error:
            yield _closed(root, folder, error)
            continue
        yield from (Oddity(code, f"{str(folder / name)!r} {why}") for code, name, why in found.odd)
        for _, twins in groupby(sorted(found.pictures, key=_parted), _stem):
            yield from (_document(folder / name, place) for place, name in enumerate(twins))
        waiting.extend(folder / name for name in sorted(found.folders, reverse=True))


@dataclass(frozen=True, slots=True)
class _Listing:
    pictures: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    odd: list[tuple[str, str, str]] = field(default_factory=list)
    """(code, name, why) of each that is neither."""


def _listed(folder: Path) -> _Listing:
    found = _Listing()
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if not _is_text(name):
                found.odd.append(
                    ("bad_name", repr(name), "has a name that is no UTF-8: rename it.")
                )
            elif entry.is_dir(follow_symlinks=False):
                found.folders.append(name)
            elif name.lower().endswith(_SUFFIXES):
                found.pictures.append(name)
            elif entry.is_dir():
                found.odd.append(("linked_folder", name, "is a link to a folder: not followed."))
            else:
                found.odd.append(("no_picture", name, "is no picture by its name."))
    return found


def _closed(root: Path, folder: PurePosixPath, error: OSError) -> Oddity:
    why = error.strerror or type(error).__name__
    if not folder.parts:
        raise Invalid(f"The folder {str(root)!r} cannot be listed: {why}.") from error
    return Oddity("closed_folder", f"The folder {str(folder)!r} cannot be listed: {why}.")


def _document(path: PurePosixPath, place: int) -> dict[str, Any]:
    folders = path.parent.parts
    return {
        "product_id": _product_id(path, place),
        "title": _title(path.stem, folders)[:MAX_TITLE],
        "category": [name[:MAX_TEXT] for name in folders[:MAX_DEPTH]],
        "images": [{"path": str(path)}],
    }


def _product_id(path: PurePosixPath, place: int) -> str:
    """The path without its suffix; where that is no id, or another picture's, a digest tells more."""
    parts = path.with_suffix("").parts
    plain = _BETWEEN.join(parts)
    is_id = is_product_id(plain) and plain == plain.strip()
    if place == 0 and is_id and not any(_BETWEEN in part for part in parts):
        return plain
    digest = blake2b(str(path).encode(), digest_size=6).hexdigest()
    readable = "".join(letter if letter.isprintable() else "_" for letter in plain.strip())
    return f"{readable[: MAX_ID - len(digest) - 1]}{_BETWEEN}{digest}"


def _title(stem: str, folders: Sequence[str]) -> str:
    if folders and _NAMELESS.fullmatch(stem):
        return folders[-1].replace("_", " ")
    return re.sub(r"[\W_]+", " ", stem).strip()


def _parted(name: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    return path.stem, path.suffix


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
