"""A house with a clock of its own: SQLite, folder blobs, a queue that only remembers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from services.indexer.commit import manifest_of
from services.indexer.ports import Limits, Ports
from services.indexer.sync import sync_shard
from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.port import Blobs
from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.port import Catalogue
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue, wall_milliseconds
from shared.catalogue.targets import Targets
from shared.images import Place, sha256_of
from shared.index.entries import Entry, winner_and_rows
from shared.index.manifest import Manifest
from shared.index.segment import Segment
from shared.index.view import ShardView, open_view
from shared.indexes import Index, Pointer
from shared.jobs import Import
from shared.products import Attributes, Origin, Product
from shared.spaces import Space, Spaces
from shared.tasks import QueueName, SyncShard, Task
from shared.vectors import to_bytes

TENANT = "shop"
SPACES = Spaces("f1", (Space("content", 8, "f1c"),))


@dataclass
class Clock:
    """Starts at the real time, for files carry it, and goes on only when it is told to."""

    now: int = field(default_factory=wall_milliseconds)

    def __call__(self) -> int:
        return self.now

    def forward(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        self.now += int(((days * 24 + hours) * 60 + minutes) * 60_000) + 1


@dataclass
class Remembering:
    """A doorbell that nobody hears."""

    rung: list[Task] = field(default_factory=list)
    hears: bool = True
    on_ring: Callable[[], None] = lambda: None
    full: dict[QueueName, int] = field(default_factory=dict)

    def ring(self, task: Task) -> bool:
        self.rung.append(task)
        self.on_ring()
        return self.hears

    def waiting(self, queue: QueueName) -> int:
        return self.full.get(queue, 0)


class Stepping:
    """A port whose every call is announced; groups of operations are ports too."""

    def __init__(self, port: object, prefix: str, step: Callable[[str], None]) -> None:
        self._port, self._prefix, self._step = port, prefix, step

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return Stepping(found, f"{name}.", self._step)

        def called(*args: Any, **kwargs: Any) -> Any:
            self._step(self._prefix + name)
            return found(*args, **kwargs)

        return called


class Crash(BaseException):
    """The end of a process: nothing that its code could handle."""


@dataclass
class House:
    """Ports, and the little that tests say again and again."""

    ports: Ports
    clock: Clock
    queue: Remembering
    index: Index
    crash: type[BaseException] = Crash

    def image(self, name: str, *, vector: bool = True, fingerprint: str = "f1") -> str:
        """Stores made-up bytes in a blob of their own."""
        sha = sha256_of(name.encode())
        blob = f"tenants/{TENANT}/pictures/{sha[:2]}/{sha}-{self.clock.now}-{len(self.queue.rung)}"
        if sha not in self.ports.catalogue.images.touch(TENANT, [sha]):
            self.ports.blobs.put(blob, name.encode())
            self.put_image(sha, blob, len(name))
        if vector:
            self.embed(sha, fingerprint)
        return sha

    def put_image(self, sha: str, blob: str, length: int, offset: int = 0) -> None:
        write = ImageWrite(
            *(TENANT, sha, Place(blob, offset, length), "image/jpeg", 8, 8),
            not_after=self.clock.now + 600_000,
        )
        self.ports.catalogue.images.put([write])

    def embed(self, sha: str, fingerprint: str = "f1", vector: bytes | None = None) -> None:
        """Stores a vector and announces it, as an embedder does."""
        made = vector if vector is not None else vector_of(sha)
        images, products = self.ports.catalogue.images, self.ports.catalogue.products
        images.store_vector(VectorWrite(TENANT, sha, fingerprint, made))
        fresh = self.ports.targets.fresh(TENANT)
        products.bump_showing(TENANT, [sha], targets=fresh.names, not_after=fresh.not_after)
        images.announced(TENANT, [sha], fingerprint)

    def has_image(self, sha: str) -> bool:
        """Document and bytes."""
        found = self.ports.catalogue.images.get(TENANT, [sha]).get(sha)
        return found is not None and found.place.blob in self.blob_keys()

    def blob_keys(self, prefix: str = "tenants/") -> set[str]:
        """Of all blobs below."""
        return {blob.key for blob in self.ports.blobs.list(prefix)}

    def begin_import(self, source: str = "x") -> Import:
        """Its name is `imp`."""
        imp = Import("imp", TENANT, "bson", source, 1, 0, "running")
        return self.ports.catalogue.imports.create(imp)

    def put(
        self, product_id: str, images: Sequence[str], *, origin: Origin | None = None, **said: str
    ) -> Product:
        fresh = self.ports.targets.fresh(TENANT)
        write = ProductWrite(
            *(TENANT, product_id, Attributes(**said), tuple(images)),  # type: ignore[arg-type]
            targets=fresh.names,
            not_after=fresh.not_after,
            origin=origin,
        )
        outcome = self.ports.catalogue.products.upsert([write])[0]
        assert outcome.product is not None
        return outcome.product

    def stock(self, count: int, prefix: str = "p") -> list[str]:
        """So many products with an image each."""
        ids = [f"{prefix}{n:04}" for n in range(count)]
        for product_id in ids:
            self.put(product_id, [self.image(f"picture of {product_id}")])
        return ids

    def delete(self, product_id: str) -> None:
        fresh = self.ports.targets.fresh(TENANT)
        self.ports.catalogue.products.delete(
            TENANT, product_id, targets=fresh.names, not_after=fresh.not_after
        )

    def product(self, product_id: str) -> Product:
        return self.ports.catalogue.products.get(TENANT, [product_id])[product_id]

    def gone(self, product_id: str) -> bool:
        return not self.ports.catalogue.products.get(TENANT, [product_id])

    def sync(self, index: str | None = None, shard: int = 0) -> int:
        return sync_shard(self.ports, SyncShard(index or self.index.index_id, shard))

    def pointer(self, index: str | None = None, shard: int = 0) -> Pointer:
        return self.ports.catalogue.indexes.pointer(index or self.index.index_id, shard)

    def manifest(self) -> Manifest:
        return manifest_of(self.ports.blobs, self.index, self.pointer())

    def view(self, index: str | None = None, shard: int = 0) -> ShardView:
        return open_view(self.ports.blobs, self.pointer(index, shard), SPACES)

    def shown(self, index: str | None = None) -> dict[str, tuple[str, set[str]]]:
        """Product ids with their title and the images that live, by the files of the shard."""
        of = self.ports.catalogue.indexes.get(index or self.index.index_id)
        assert of is not None
        manifest = manifest_of(self.ports.blobs, of, self.pointer(of.index_id))
        entries: dict[str, list[Entry]] = {}
        for ref in manifest.segments:
            for entry in Segment.open(ref, self.ports.blobs).entries():
                entries.setdefault(entry.product_id, []).append(entry)
        settled = [winner_and_rows(found) for found in entries.values()]
        return {
            winner.product_id: (
                winner.attributes.title,
                {row.sha256 for row in rows.rows} if rows else set(),
            )
            for winner, rows in settled
            if not winner.deleted
        }

    def stepping(self, step: Callable[[str], None]) -> "House":
        """The same house, where `step` hears the name of every port call before it is made."""
        ports = replace(
            self.ports,
            catalogue=cast("Catalogue", Stepping(self.ports.catalogue, "", step)),
            blobs=cast("Blobs", Stepping(self.ports.blobs, "blobs.", step)),
        )
        return replace(self, ports=ports)

    def interrupted(self, call: str, action: Callable[[], object]) -> "House":
        """The same house, where something happens just before the first call of this name."""
        todo = [action]

        def step(name: str) -> None:
            if name == call and todo:
                todo.pop()()

        return self.stepping(step)

    def crashing(self, last: int) -> "House":
        """The same house, where the call after so many is never made: its caller dies."""
        calls: list[str] = []

        def step(name: str) -> None:
            if len(calls) == last:
                raise Crash(name)
            calls.append(name)

        return self.stepping(step)

    def index_like(self, index_id: str, **said: object) -> Index:
        return an_index(index_id, **said)

    def limited(self, **limits: float) -> "House":
        ports = replace(self.ports, limits=replace(self.ports.limits, **limits))  # type: ignore[arg-type]
        return replace(self, ports=ports)


def vector_of(name: str) -> bytes:
    seed = int.from_bytes(name.encode()[:6], "big")
    made = np.random.default_rng(seed).standard_normal(SPACES.dim).astype(np.float32)
    return to_bytes(made / np.linalg.norm(made))


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[[], House]]:
    """Opens one; what every test but those about beginnings starts from is `house`."""
    catalogues = []

    def build() -> House:
        clock, queue = Clock(), Remembering()
        catalogue = SqliteCatalogue(tmp_path / "catalogue.sqlite", clock=clock)
        catalogues.append(catalogue)
        blobs = FsspecBlobs(f"file://{tmp_path}/blobs")
        targets = Targets(catalogue)
        ports = Ports(catalogue, blobs, queue, targets, tmp_path / "scratch", Limits())
        index = catalogue.indexes.create(an_index("one"))
        catalogue.indexes.move_alias(TENANT, "live", "one")
        return House(ports, clock, queue, index)

    yield build
    for catalogue in catalogues:
        catalogue.close()


def an_index(index_id: str, **said: object) -> Index:
    index = Index(index_id, TENANT, "model", SPACES, 1, ("segments",), (), "ready", 0)
    return replace(index, **said)  # type: ignore[arg-type]


@pytest.fixture
def house(open_house: Callable[[], House]) -> House:
    return open_house()
