from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.index.entries import Entry, Row
from shared.index.manifest import Manifest, SegmentRef
from shared.index.segment import store
from shared.index.view import ShardView, open_view
from shared.indexes import Pointer
from shared.products import Attributes
from shared.spaces import Space, Spaces
from shared.vectors import to_bytes, unit_spaces
from tests.segments import written

SPACES = Spaces(
    "f1", (Space("content", 8, "c1"), Space("style", 4, "s1"), Space("colour", 4, "k1"))
)


@dataclass
class Shard:
    """A shard without a catalogue: segments are stored, and any list of them is a generation."""

    folder: Path
    blobs: FsspecBlobs
    spaces: Spaces = SPACES
    declared: tuple[str, ...] = ("size",)
    numbers: Iterable[int] = field(default_factory=count)

    def segment(
        self, entries: Iterable[Entry], *, graph: bool = False, trees: bool = False
    ) -> SegmentRef:
        name = f"{next(iter(self.numbers)):06}"
        files = written(
            entries, self.spaces, self.declared, self.folder, name, graph=graph, trees=trees
        )
        return store(files, self.blobs, "t", "i", 0)

    def pointer(self, *refs: SegmentRef) -> Pointer:
        generation = next(iter(self.numbers))
        manifest = Manifest("i", 0, generation, 7, self.spaces, self.declared, refs)
        key = keys.manifest("t", "i", 0, generation)
        self.blobs.put(key, manifest.to_json())
        return Pointer("i", 0, generation, key, as_of=7)

    def view(self, *refs: SegmentRef, previous: ShardView | None = None) -> ShardView:
        return open_view(self.blobs, self.pointer(*refs), self.spaces, previous)


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    """Shared by all tests of a module: every segment and generation has a name of its own."""
    folder = tmp_path_factory.mktemp("shard")
    return Shard(folder, FsspecBlobs(f"file://{folder / 'blobs'}"))


@pytest.fixture(scope="session")
def row() -> Callable[[int], Row]:
    """The same image and vector for the same number."""

    def make(number: int) -> Row:
        rng = np.random.default_rng(number)
        vector = rng.standard_normal(SPACES.dim).astype(np.float32)
        return Row(f"{number:064x}", to_bytes(unit_spaces(vector, SPACES)))

    return make


@pytest.fixture(scope="session")
def entry(row: Callable[[int], Row]) -> Callable[..., Entry]:
    def make(
        product_id: str,
        revision: int = 1,
        *,
        images: Sequence[int] = (),
        images_revision: int = 1,
        deleted: bool = False,
        committed: int = 0,
        **attributes: object,
    ) -> Entry:
        rows = tuple(row(number) for number in images)
        said = Attributes(**attributes)  # type: ignore[arg-type]  # keywords pass through
        return Entry(
            product_id, revision, images_revision, deleted, said, rows, revision, committed
        )

    return make
