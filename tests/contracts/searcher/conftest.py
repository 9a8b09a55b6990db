"""Shops whose products are written straight into segments and Elasticsearch, and the truth about them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.search import planner
from services.search.app import create_app
from services.search.backends import Backends
from services.search.elastic import ElasticSearcher
from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.filters import Filter, passes
from shared.hits import DEFAULT_BLEND
from shared.ids import new_id
from shared.index import annoy
from shared.index.elasticsearch.client import Cluster
from shared.index.elasticsearch.documents import slices, write_of
from shared.index.entries import Entry, Row
from shared.index.manifest import Manifest
from shared.index.segment import store
from shared.indexes import Index
from shared.products import Attributes, bucket_of, shard_of
from shared.seams.remote_searcher import RemoteSearcher
from shared.seams.searcher import Searcher
from shared.spaces import Space, SpaceName, Spaces
from shared.vectors import Floats, from_bytes, to_bytes, unit, unit_spaces
from tests.segments import written
from tests.servers.application import serving

TENANT, INDEX = "shop", "idx_live"
SPACES = Spaces(
    "model-1",
    (Space("content", 24, "c-1"), Space("style", 12, "s-1"), Space("colour", 6, "k-1")),
)
BRANDS = ("Aki", "Bo", "Cyd", "Dax", "Elm")


def product(number: int, images: int, seed: np.random.Generator, revision: int = 1) -> Entry:
    """One of forty kinds; its pictures look alike, but not the same."""
    kind = np.random.default_rng(number % 40).normal(size=SPACES.dim)
    vectors = kind + seed.normal(scale=0.7, size=(images, SPACES.dim))
    rows = tuple(
        Row(f"{number:05d}-{i:02d}-{revision}", to_bytes(unit_spaces(v.astype("f4"), SPACES)))
        for i, v in enumerate(vectors)
    )
    attributes = Attributes(
        title=f"Thing {number}",
        brand=BRANDS[number % 5] if number % 7 else None,
        category=("Home", "Lamps") if number % 2 else ("Home", "Rugs", "Round"),
        price=float(number % 100),
        in_stock=number % 3 > 0,
        tags=("sale", "sale", "red") if number % 11 == 0 else (),
        custom={"material": "oak"} if number % 50 == 0 else {},
    )
    return Entry(f"p{number:05d}", revision, revision, False, attributes, rows, revision, 0)


@dataclass
class Shop:
    """What was committed, in order; `live` is what a search may find."""

    searcher: Searcher
    plain: Searcher
    """The same where Elasticsearch is not configured."""
    shards: int
    live: Mapping[str, Entry] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    def oracle(
        self,
        vector: Floats,
        *,
        blend: Mapping[SpaceName, float] = DEFAULT_BLEND,
        condition: Filter | None = None,
        leave_out: frozenset[str] = frozenset(),
        by_image: bool = False,
    ) -> list[tuple[str, str, float]]:
        """(product, image, similarity) of all, by the definition: the weighted mean of cosines."""
        near = iter(similarities(vector, self.matrix, blend))
        found = []
        for entry in self.live.values():
            nearness = [(-next(near), row.sha256) for row in entry.rows]
            if entry.product_id in leave_out:
                continue
            if condition is not None and not passes(condition, entry.attributes):
                continue
            chosen = nearness if by_image else [min(nearness)]
            found += [(entry.product_id, sha, -negative) for negative, sha in chosen]
        return sorted(found, key=lambda hit: (-hit[2], hit[0], hit[1]))

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        rows = [from_bytes(row.vector) for entry in self.live.values() for row in entry.rows]
        return np.array(rows, dtype=np.float64)


def similarities(
    vector: Floats, matrix: NDArray[np.float64], blend: Mapping[SpaceName, float]
) -> list[float]:
    near = np.zeros(len(matrix))
    for name, part in SPACES.slices().items():
        near += blend.get(name, 0) * (matrix[:, part] @ unit(vector[part]))
    total = sum(abs(weight) for weight in blend.values())
    found: list[float] = (near / total).round(6).tolist()
    return found


def catalogue_entries() -> list[list[Entry]]:
    """Four commits: many products; newer pictures; newer words only; deletions."""
    seed = np.random.default_rng(7)
    first = [product(n, 16 if n % 10 == 0 else 1 + n % 3, seed) for n in range(1_200)]
    photo = first[1].rows[:1]  # one photo in thirty offers
    first += [replace(product(n, 1, seed), rows=photo) for n in range(2_000, 2_030)]
    pictured = [product(n, 2, seed, revision=2) for n in range(0, 1_200, 17)]
    worded = [
        replace(
            e, revision=3, rows=(), attributes=replace(e.attributes, brand="Zed", price=1_000.0)
        )
        for e in first[5:1_200:13]
    ]
    worded = [
        replace(e, images_revision=2 if int(e.product_id[1:]) % 17 == 0 else 1) for e in worded
    ]
    deleted = [replace(e, revision=4, rows=(), deleted=True) for e in first[3:1_200:19]]
    return [first, pictured, worded, deleted]


def settled(commits: list[list[Entry]]) -> tuple[dict[str, Entry], frozenset[str]]:
    """What lives after these commits, said the simple way: later ones overwrite earlier ones."""
    live: dict[str, Entry] = {}
    gone: set[str] = set()
    for entry in (entry for commit in commits for entry in commit):
        if entry.deleted:
            live.pop(entry.product_id, None)
            gone.add(entry.product_id)
        else:
            rows = entry.rows or live[entry.product_id].rows
            live[entry.product_id] = replace(entry, rows=rows)
    return live, frozenset(gone)


def commit(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs, folder: Path, shards: int, entries: list[Entry]
) -> None:
    """A segment a shard after those that are there; big ones with graph and trees."""
    for shard in range(shards):
        mine = [e for e in entries if shard_of(bucket_of(TENANT, e.product_id), shards) == shard]
        pointer = catalogue.indexes.pointer(INDEX, shard)
        before = Manifest.from_json(blobs.read(pointer.manifest)) if pointer.manifest else None
        generation = pointer.generation + 1
        big = len(mine) > 300
        files = written(mine, SPACES, ("material",), folder, f"{generation}", graph=big, trees=big)
        ref = store(files, blobs, TENANT, INDEX, shard)
        segments = (*(before.segments if before else ()), ref)
        manifest = Manifest(INDEX, shard, generation, 1_000, SPACES, ("material",), segments)
        key = keys.manifest(TENANT, INDEX, shard, generation)
        blobs.put(key, manifest.to_json())
        assert catalogue.indexes.swap(
            INDEX, shard, expected=pointer.generation, manifest=key, as_of=1_000
        )


@dataclass(frozen=True)
class Stores:
    """What search processes stand on; those without a cluster know nothing of Elasticsearch."""

    catalogue: SqliteCatalogue
    blobs: FsspecBlobs
    cluster: Cluster | None


Make = Callable[[Stores, ExitStack], Searcher]


def _local(stores: Stores, stack: ExitStack) -> Searcher:
    return _process(stores, stack, 0, 1)[0]


def _remote(groups: int, replicas: int) -> Make:
    """So many groups of processes, each process a real server."""

    def made(stores: Stores, stack: ExitStack) -> Searcher:
        urls = [
            stack.enter_context(
                serving(create_app(*_process(stores, stack, number % groups, groups)))
            )
            for number in range(groups * replicas)
        ]
        return stack.enter_context(closing(RemoteSearcher(urls, groups)))

    return made


def _process(stores: Stores, stack: ExitStack, group: int, groups: int) -> tuple[Searcher, Shards]:
    named = new_id("r")
    shards = Shards(stores.catalogue, stores.blobs, replica=named, group=group, groups=groups)
    stack.callback(shards.close)
    shards.refresh()
    local = stack.enter_context(closing(LocalSearcher(shards, annoy=annoy.installed())))
    cluster = stores.cluster
    elastic = ElasticSearcher(cluster, stores.catalogue) if cluster is not None else None
    return Backends(local, elastic), shards


ADAPTERS: Mapping[str, Make] = {
    "local": _local,
    "remote": _remote(groups=1, replicas=2),
    "remote in 2 groups": _remote(groups=2, replicas=1),
}


@pytest.fixture(scope="session", params=ADAPTERS)
def open_shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[int], Shop]]:
    """A shop on so many shards, asked through one of the port's adapters."""
    shops: dict[int, Shop] = {}
    make = ADAPTERS[request.param]

    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        # Small segments are walked as if scanning them took long.
        patch.setattr(planner, "ROWS_A_STEP", 1)
        url = _elasticsearch(request)

        def opened(count: int) -> Shop:
            if count not in shops:
                folder = tmp_path_factory.mktemp("shop")
                shops[count] = _opened(folder, count, make, url, stack)
            return shops[count]

        yield opened


def _elasticsearch(request: pytest.FixtureRequest) -> str | None:
    """Every backend but one can do without."""
    try:
        return str(request.getfixturevalue("elasticsearch_url"))
    except pytest.skip.Exception:
        return None


def _opened(folder: Path, count: int, make: Make, url: str | None, stack: ExitStack) -> Shop:
    catalogue = stack.enter_context(SqliteCatalogue(folder / "catalogue.db"))
    blobs = FsspecBlobs(f"file://{folder}/blobs")
    index = catalogue.indexes.create(
        Index(
            *(INDEX, TENANT, "model", SPACES, count, ("segments", "elasticsearch")),
            *(("material",), "ready", 0),
        )
    )
    commits = catalogue_entries()
    for entries in commits:
        commit(catalogue, blobs, folder, count, entries)
    live, gone = settled(commits)
    cluster = None
    if url is not None:
        cluster = stack.enter_context(closing(Cluster(url, prefix=new_id("searcher"))))
        follow(cluster, index, live.values(), stack)
    plain = make(Stores(catalogue, blobs, None), stack)
    searcher = make(Stores(catalogue, blobs, cluster), stack)
    return Shop(searcher, plain, count, live, gone)


def follow(cluster: Cluster, index: Index, entries: Iterable[Entry], stack: ExitStack) -> None:
    """What a sync would have brought into Elasticsearch."""
    cluster.ensure(index)
    stack.callback(cluster.drop, cluster.name(index))
    for part in slices(write_of(entry, index, 1_000) for entry in entries):
        assert len(cluster.write(index, part).done) == len(part)
    cluster.refresh(index)


@pytest.fixture(params=[1, 3], ids=["1 shard", "3 shards"])
def shop(request: pytest.FixtureRequest, open_shop: Callable[[int], Shop]) -> Shop:
    return open_shop(request.param)


@pytest.fixture(params=["exact", "faiss", "annoy", "elasticsearch"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "elasticsearch":
        request.getfixturevalue("elasticsearch_url")
    if request.param == "annoy" and not annoy.installed():
        pytest.skip("Annoy is not installed")
    return str(request.param)


@pytest.fixture
def spaces() -> Spaces:
    return SPACES
