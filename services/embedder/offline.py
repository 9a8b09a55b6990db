"""Vectors of pictures on disk into one file, without catalogue or queue: `lookalike embed`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from services.embedder.local import ChildEmbedder
from shared.errors import LookalikeError
from shared.seams.embedder import Embedder, Failure
from shared.sources.bson import decode, scan
from shared.sources.records import BadRecord, ChunkRange, file_reader
from shared.spaces import Spaces
from shared.vectors import Floats

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bson"})

Found = tuple[str, bytes | str]
"""A picture's name with its bytes, or with the sentence why there are none."""


def embed_paths(paths: Sequence[Path], out: Path, model: Path) -> list[str]:
    """Writes `paths` and one array a space to `out` (npz); returns what was unreadable, with why.

    A folder is walked in sorted order; a .bson file gives `<_id>/<n>` for each of its pictures.
    Children do the work, so a picture that kills its decoder is one line more in the answer.
    """
    names: list[str] = []
    vectors: list[Floats] = []
    unreadable: list[str] = []
    with ChildEmbedder(model) as embedder:
        for name, vector in vectors_of(paths, embedder):
            if isinstance(vector, str):
                unreadable.append(f"{name}: {vector}")
            else:
                names.append(name)
                vectors.append(vector)
        _write(out, names, vectors, embedder.spaces)
    return unreadable


def vectors_of(paths: Sequence[Path], embedder: Embedder) -> Iterator[tuple[str, Floats | str]]:
    """Each picture by name with its vector, or with the sentence why there is none."""
    for name, found in _pictures(paths):
        yield name, found if isinstance(found, str) else _vector(embedder, found)


def _vector(embedder: Embedder, picture: bytes) -> Floats | str:
    try:
        (result,) = embedder.embed([picture])
    except LookalikeError as error:
        return error.detail
    if isinstance(result, Failure):
        return result.detail
    return np.frombuffer(result.vector, np.float32)


def _pictures(paths: Sequence[Path]) -> Iterator[Found]:
    for path in paths:
        if not path.is_dir():
            yield from _pictures_in(path)
            continue
        for inner in sorted(path.rglob("*")):
            if inner.suffix.lower() in _SUFFIXES and inner.is_file():
                yield from _pictures_in(inner)


def _pictures_in(path: Path) -> Iterator[Found]:
    try:
        if path.suffix.lower() == ".bson":
            yield from _pictures_of_records(path)
        else:
            yield str(path), path.read_bytes()
    except OSError as error:
        yield str(path), f"The file cannot be read: {error.strerror}."


def _pictures_of_records(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        read = file_reader(file)
        for piece in scan(read, path.stat().st_size):
            if isinstance(piece, BadRecord):
                yield f"{path}@{piece.offset}", piece.detail
            else:
                yield from _pictures_of_chunk(path, read(piece.offset, piece.length), piece)


def _pictures_of_chunk(path: Path, data: bytes, chunk: ChunkRange) -> Iterator[Found]:
    for record in decode(data, chunk.offset):
        if isinstance(record, BadRecord):
            yield f"{path}@{record.offset}", record.detail
            continue
        for n, picture in enumerate(record.held):
            yield f"{record.product_id}/{n}", picture


def _write(out: Path, names: Sequence[str], vectors: Sequence[Floats], spaces: Spaces) -> None:
    whole = np.stack(vectors) if vectors else np.empty((0, spaces.dim), np.float32)
    arrays = {name: whole[:, part] for name, part in spaces.slices().items()}
    half_written = out.with_name(out.name + ".part")
    with half_written.open("wb") as file:
        np.savez(file, paths=np.array(names, dtype=np.str_), **arrays)  # type: ignore[arg-type]
    half_written.replace(out)
