"""What `lookalike evaluate` examines: a folder that models embed here, or indexes where they lie."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lookalike.command.output import progress
from services.embedder.local import ChildEmbedder
from services.indexer.exam.exam import Exam, Side, examine
from services.indexer.exam.folders import Filed, Layout, filed
from services.indexer.exam.indexes import examine_indexes, index_named
from services.indexer.exam.photos import Taken, arranged, judged
from services.indexer.exam.pictures import thumbnails
from shared import installation
from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Invalid, LookalikeError
from shared.runtime.arguments import processors
from shared.runtime.settings import Installation
from shared.seams.embedder import Embedder, Embedding
from shared.spaces import Spaces
from shared.vectors import to_bytes

Pictures = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Small pictures by photo's name."""


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """An exam, where its pictures are to be had, and what could not be read, a sentence each."""

    exam: Exam
    pictures: Pictures
    unreadable: Sequence[str] = ()


class _Embedded(NamedTuple):
    """What one model made of a folder: float16 and hash by name, sentences for what it could not read."""

    spaces: Spaces
    codes: Mapping[str, bytes]
    hashes: Mapping[str, str]
    unreadable: Mapping[str, str]


@contextmanager
def over_folder(
    folder: Path, models: Sequence[tuple[str, Path]], layout: Layout | None
) -> Iterator[Examination]:
    """One model, or the first against the second, each by name and folder."""
    files = filed(folder, layout)
    made = [_embedded(folder, files, model) for _, model in models]
    readable = set.intersection(*(set(one.codes) for one in made))
    if not readable:
        why = next(iter(made[0].unreadable.values()), "")
        raise Invalid(f"None of the {len(files)} pictures in {folder} can be read: {why}")
    photos = arranged(
        Taken(one.name, one.product, one.category, "", made[0].hashes[one.name])
        for one in files
        if one.name in readable
    )
    sides = [
        Side(name, judged(photos, one.spaces, one.codes))
        for (name, _), one in zip(models, made, strict=True)
    ]
    with progress("examining"):
        exam = examine(sides[0], sides[1] if len(sides) > 1 else None, _unheard)
    unreadable = {name: why for one in made for name, why in one.unreadable.items()}
    with ChildEmbedder(models[0][1]) as embedder:
        pictures = partial(_small, folder, embedder)
        yield Examination(exam, pictures, [f"{n}: {why}" for n, why in unreadable.items()])


@contextmanager
def over_catalogue(
    data: Path | None, tenant: str, name: str, against: str
) -> Iterator[Examination]:
    """An index against another one; against itself, it is taken alone."""
    with _stores(data) as (catalogue, blobs):
        index, other = (index_named(catalogue, tenant, one) for one in (name, against))
        with progress("examining"):
            alone = other.index_id == index.index_id
            exam = examine_indexes(catalogue, blobs, index, None if alone else other, _unheard)
        yield Examination(exam, partial(thumbnails, catalogue, blobs, tenant))


def _unheard(_stage: str, _done: int, _of: int) -> None:
    """Seconds; nobody needs to be told how many of them."""


@contextmanager
def _stores(data: Path | None) -> Iterator[tuple[Catalogue, Blobs]]:
    if data is None:
        known = Installation()
        with closing(installation.catalogue_of(known)) as catalogue:
            yield catalogue, installation.blobs_of(known)
        return
    if not (data / "catalogue.sqlite").is_file():
        raise Invalid(f"{data} holds no catalogue.sqlite: is it the demo's folder?")
    with closing(SqliteCatalogue(data / "catalogue.sqlite")) as catalogue:
        yield catalogue, FsspecBlobs((data / "blobs").absolute().as_uri(), data / "cache")


def _embedded(folder: Path, files: Sequence[Filed], model: Path) -> _Embedded:
    codes: dict[str, bytes] = {}
    hashes: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    hands = processors()
    with (
        progress(f"embedding with {model.name}", unit="pictures") as tell,
        ChildEmbedder(model, children=hands) as embedder,
        ThreadPoolExecutor(hands) as pool,
    ):
        found = pool.map(partial(_embed, folder, embedder), files)
        for done, (file, result) in enumerate(zip(files, found, strict=True), 1):
            tell(done, len(files))
            if isinstance(result, str):
                unreadable[file.name] = result
            else:
                codes[file.name] = to_bytes(np.frombuffer(result.vector, np.float32))
                hashes[file.name] = result.phash
        return _Embedded(embedder.spaces, codes, hashes, unreadable)


def _embed(folder: Path, embedder: Embedder, file: Filed) -> Embedding | str:
    try:
        (result,) = embedder.embed([(folder / file.name).read_bytes()])
    except LookalikeError as error:
        return error.detail
    except OSError as error:
        return f"The file cannot be read: {error.strerror}."
    return result if isinstance(result, Embedding) else result.detail


def _small(folder: Path, embedder: Embedder, names: Sequence[str]) -> Mapping[str, bytes]:
    pictures = {name: (folder / name).read_bytes() for name in names}
    results = (embedder.embed([data], thumbnails=True)[0] for data in pictures.values())
    return {
        name: result.thumbnail if isinstance(result, Embedding) and result.thumbnail else data
        for (name, data), result in zip(pictures.items(), results, strict=True)
    }
