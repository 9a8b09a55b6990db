from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shared.blobs.fsspec import FsspecBlobs
from shared.index.entries import Entry, Row
from shared.index.manifest import Manifest
from shared.index.segment import store
from shared.index.view import ShardView, open_view
from shared.indexes import Pointer
from shared.products import Attributes
from shared.spaces import Space, Spaces
from shared.vectors import Floats, to_bytes, unit_spaces
from tests.segments import written

SPACES = Spaces(
    "f1", (Space("content", 32, "c1"), Space("style", 16, "s1"), Space("colour", 16, "k1"))
)
PRODUCTS, CLUSTERS = 4_000, 80


@pytest.fixture(scope="session")
def vectors() -> Floats:
    """Seeded and clustered, as pictures are; each space has its own clusters."""
    rng = np.random.default_rng(11)
    parts = [
        rng.standard_normal((CLUSTERS, space.dim))[rng.integers(CLUSTERS, size=PRODUCTS)]
        + 0.6 * rng.standard_normal((PRODUCTS, space.dim))
        for space in SPACES.spaces
    ]
    whole = np.hstack(parts).astype(np.float32)
    return np.stack([unit_spaces(line, SPACES) for line in whole])


def _entries(vectors: Floats) -> Iterator[Entry]:
    """Two products in five have a second picture, which looks the opposite way."""
    for i, vector in enumerate(vectors):
        rows = [Row(f"{i:064x}", to_bytes(vector))]
        rows += [Row(f"{i + 10**6:064x}", to_bytes(-vector))] if i % 5 < 2 else []
        said = Attributes(price=float(i % 100), in_stock=i % 3 == 0)
        yield Entry(f"p{i}", 1, 1, False, said, tuple(rows), 1, 0)


def _changes() -> Iterator[Entry]:
    """Every tenth product is deleted, every tenth has new pictures coming, some a new price."""
    for i in range(0, PRODUCTS, 10):
        yield Entry(f"p{i}", 2, 1, True, Attributes(), (), 2, 0)
        yield Entry(f"p{i + 1}", 2, 2, False, Attributes(price=1.0), (), 2, 0)
        yield Entry(f"p{i + 2}", 2, 1, False, Attributes(price=1_000.0), (), 2, 0)


@pytest.fixture(scope="session")
def view(vectors: Floats, tmp_path_factory: pytest.TempPathFactory) -> ShardView:
    """A big segment with graph and trees, and a later one that takes a fifth of it away."""
    folder: Path = tmp_path_factory.mktemp("index")
    blobs = FsspecBlobs(f"file://{folder / 'blobs'}")
    refs = []
    for name, entries, big in (("1", _entries(vectors), True), ("2", _changes(), False)):
        files = written(entries, SPACES, (), folder, name, graph=big, trees=big)
        refs.append(store(files, blobs, "t", "i", 0))
    blobs.put("manifest", Manifest("i", 0, 1, 1, SPACES, (), tuple(refs)).to_json())
    return open_view(blobs, Pointer("i", 0, 1, "manifest"), SPACES)


@pytest.fixture(scope="session")
def queries(vectors: Floats) -> Floats:
    """Near stored pictures, blended by weights that differ, and one that turns away."""
    rng = np.random.default_rng(12)
    near = vectors[rng.integers(PRODUCTS, size=60)] + 0.05 * rng.standard_normal((60, SPACES.dim))
    weights = np.ones((60, SPACES.dim), dtype=np.float32)
    for number, part in enumerate(SPACES.slices().values()):
        weights[:, part] = (0.6, 0.2, 0.2)[number]
    weights[0] *= -1
    found: Floats = (near * weights).astype(np.float32)
    return found
