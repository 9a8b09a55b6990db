"""A small catalogue of indexes whose segments a test writes by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from services.search.shards import Shards
from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.index.entries import Entry, Row
from shared.index.manifest import Manifest, SegmentRef
from shared.index.segment import store
from shared.indexes import Index
from shared.products import Attributes, bucket_of, shard_of
from shared.spaces import Space, Spaces
from shared.vectors import to_bytes, unit_spaces
from tests.segments import written

SPACES = Spaces("model-1", (Space("content", 8, "c-1"), Space("style", 4, "s-1")))


@dataclass
class Shelf:
    """The truth that shards are opened from."""

    folder: Path
    catalogue: SqliteCatalogue
    blobs: FsspecBlobs

    def index(self, index_id: str = "idx", shards: int = 1) -> Index:
        index = Index(index_id, "shop", "m", SPACES, shards, ("segments",), (), "ready", 0)
        return self.catalogue.indexes.create(index)

    def entries(self, *numbers: int, images: int = 1, brand: str = "Aki") -> list[Entry]:
        """Seeded by number."""
        return [self._entry(number, images, brand) for number in numbers]

    def _entry(self, number: int, images: int, brand: str) -> Entry:
        seed = np.random.default_rng(number)
        vectors = seed.normal(size=(images, SPACES.dim)).astype("f4")
        rows = tuple(
            Row(f"{number}-{i}", to_bytes(unit_spaces(vector, SPACES)))
            for i, vector in enumerate(vectors)
        )
        return Entry(f"p{number}", 1, 1, False, Attributes(brand=brand), rows, 1, 0)

    def commit(
        self,
        entries: Sequence[Entry],
        index_id: str = "idx",
        *,
        graph: bool = False,
        trees: bool = False,
    ) -> None:
        """A segment more in every shard."""
        index = self.catalogue.indexes.get(index_id)
        assert index is not None
        for shard in range(index.shards):
            mine = [e for e in entries if _shard(e, index) == shard]
            name = f"{self.catalogue.indexes.pointer(index_id, shard).generation + 1}"
            files = written(mine, SPACES, (), self.folder, name, graph=graph, trees=trees)
            self.swap(index_id, shard, store(files, self.blobs, "shop", index_id, shard))

    def swap(self, index_id: str, shard: int, ref: SegmentRef) -> None:
        pointer = self.catalogue.indexes.pointer(index_id, shard)
        before = Manifest.from_json(self.blobs.read(pointer.manifest)) if pointer.manifest else None
        segments = (*(before.segments if before else ()), ref)
        generation = pointer.generation + 1
        manifest = Manifest(index_id, shard, generation, generation, SPACES, (), segments)
        key = keys.manifest("shop", index_id, shard, generation)
        self.blobs.put(key, manifest.to_json())
        self.point(index_id, shard, key)

    def point(self, index_id: str, shard: int, manifest: str) -> None:
        generation = self.catalogue.indexes.pointer(index_id, shard).generation
        assert self.catalogue.indexes.swap(
            index_id, shard, expected=generation, manifest=manifest, as_of=generation + 1
        )


def _shard(entry: Entry, index: Index) -> int:
    return shard_of(bucket_of("shop", entry.product_id), index.shards)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with SqliteCatalogue(tmp_path / "catalogue.db") as catalogue:
        yield Shelf(tmp_path, catalogue, FsspecBlobs(f"file://{tmp_path}/blobs"))


@pytest.fixture
def shards(shelf: Shelf) -> Iterator[Shards]:
    """Not started: a test refreshes."""
    held = Shards(shelf.catalogue, shelf.blobs, replica="r1")
    yield held
    held.close()
