"""A model's folder as one tar file, and back: the same folder gives the same bytes.

Only files that a model has go in and come out, uncompressed, so that what arrives can neither leave
its folder nor grow beyond its own size.
"""

import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from services.embedder.model import MANIFEST
from shared.errors import Invalid, TooLarge

MAX_BYTES: Final = 2 << 30
"""Of an archive: the largest networks of today, several times over."""
_FILE: Final = re.compile(
    r"model\.json|model\.tflite|heads\.npz|trained\.npz|golden/[\w-]+\.(?:png|npy)|savedmodel/(?:[\w.-]+/)*[\w.-]+",
    re.ASCII,
)


def pack(folder: Path, out: BinaryIO) -> None:
    """What a model has of the folder, sorted, without dates or owners; other files stay behind."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(_names(folder)):
            with (folder / name).open("rb") as file:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = (folder / name).stat().st_size, 0o644
                tar.addfile(entry, file)


def unpack(archive: Path, into: Path) -> None:
    """Raises `Invalid` for anything that is no file of a model, before it is written."""
    if archive.stat().st_size > MAX_BYTES:
        raise TooLarge(f"An archive of a model has at most {MAX_BYTES >> 20:,} MiB.")
    try:
        # `r:` alone: what is compressed could grow to any size.
        with tarfile.open(archive, mode="r:") as tar:
            for name, entry in _named(list(_entries(tar))):
                path = into / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    shutil.copyfileobj(cast("BinaryIO", tar.extractfile(entry)), file)
    except (tarfile.TarError, UnicodeError) as error:
        raise _bad(f"it cannot be read as a tar file: {error}") from error


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if _FILE.fullmatch(name) and path.is_file():
            yield name


def _entries(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for entry in tar:
        if entry.isdir():
            continue
        if not entry.isreg() or entry.issparse():
            raise _bad(f"{entry.name[:100]!r} is no plain file")
        yield entry


def _named(entries: Sequence[tarfile.TarInfo]) -> list[tuple[str, tarfile.TarInfo]]:
    """By the name from the folder on that holds `model.json`: some pack a folder, some what is in it."""
    paths = [PurePosixPath(entry.name) for entry in entries]
    roots = [path.parent for path in paths if path.name == MANIFEST]
    root = min(roots, key=lambda path: len(path.parts), default=None)
    if root is None:
        raise _bad(f"there is no {MANIFEST} in it")
    names = [str(path.relative_to(root)) if path.is_relative_to(root) else "" for path in paths]
    for path, name in zip(paths, names, strict=True):
        if not _FILE.fullmatch(name) or ".." in path.parts:
            raise _bad(f"{str(path)[:100]!r} is no file of a model")
    if len(set(names)) < len(names):
        raise _bad("it holds a file twice")
    return list(zip(names, entries, strict=True))


def _bad(why: str) -> Invalid:
    return Invalid(f"This is no archive of a model: {why}.", code="bad_model")
