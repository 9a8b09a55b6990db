"""A house with a clock of its own: SQLite, folder blobs, a tiny honest embedder."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.embedder.canary import CANARY
from services.embedder.imports import plan_import
from services.embedder.ports import Ports
from services.embedder.tasks import handle
from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import ImageWrite
from shared.catalogue.products import Outcome, ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue, wall_milliseconds
from shared.catalogue.targets import Targets
from shared.errors import Invalid, Unavailable
from shared.ids import new_id
from shared.images import Crop, Image, Place, sha256_of
from shared.indexes import Index
from shared.jobs import Counters, Format, Import, Options
from shared.pictures import sniff
from shared.places import Places
from shared.products import Attributes, Product
from shared.seams.embedder import Embedding, Failure
from shared.sources.bson import encode
from shared.spaces import Space, Spaces
from shared.tasks import EmbedImages, ImportChunk, PlanImport, QueueName, Task, queue_of

TENANT = "shop"
SPACES = Spaces("f1", (Space("content", 8, "f1c"), Space("style", 4, "f1s")))


class Killed(BaseException):
    """The process is gone: nobody catches this."""


@dataclass
class Clock:
    now: int = field(default_factory=wall_milliseconds)

    def __call__(self) -> int:
        return self.now

    def forward(self, *, minutes: float) -> None:
        self.now += int(minutes * 60_000) + 1


@dataclass
class TinyEmbedder:
    """Vectors are a hash of the bytes; `poison` in the bytes breaks it, `torn` cannot be decoded."""

    spaces: Spaces = SPACES
    down: bool = False
    kills_process: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    batches: list[int] = field(default_factory=list)

    def embed(
        self,
        pictures: Sequence[bytes],
        *,
        crop: Crop | None = None,  # noqa: ARG002 - the port's
        thumbnails: bool = False,
    ) -> list[Embedding | Failure]:
        if self.down:
            raise Unavailable("The embedder is down.")
        self.batches.append(len(pictures))
        self.seen.update(sha256_of(data) for data in pictures)
        if any(b"poison" in data for data in pictures):
            if self.kills_process:
                raise Killed
            raise Unavailable("A child died.")
        return [self._one(data, thumbnails=thumbnails) for data in pictures]

    def _one(self, data: bytes, *, thumbnails: bool) -> Embedding | Failure:
        try:
            header = sniff(data)
        except Invalid as error:
            return Failure(error.kind, error.detail)
        if b"torn" in data:
            return Failure("undecodable_image", "The picture is cut off.")
        thumbnail = b"small " + data if thumbnails and b"large" in data else None
        return Embedding(vector(data).tobytes(), header.width, header.height, "0f", thumbnail)


def vector(data: bytes) -> Any:
    seed = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
    numbers = np.random.default_rng(seed).standard_normal(SPACES.dim).astype(np.float32)
    return numbers / np.linalg.norm(numbers)


@dataclass
class Remembering:
    """A doorbell whose rings are answered when a test says so."""

    rung: list[Task] = field(default_factory=list)

    def ring(self, task: Task) -> bool:
        self.rung.append(task)
        return True

    def waiting(self, queue: QueueName) -> int:
        return sum(queue_of(task) == queue for task in self.rung)


@dataclass
class House:
    ports: Ports
    clock: Clock
    embedder: TinyEmbedder
    queue: Remembering
    folder: Path

    killed = Killed

    def with_ports(self, **changes: Any) -> "House":
        return replace(self, ports=replace(self.ports, **changes))

    @staticmethod
    def picture(name: str) -> bytes:
        """A picture of its own for every name; names may say `poison`, `torn` or `large`."""
        return CANARY + name.encode()

    def upload(self, name: str, data: bytes | None = None) -> str:
        data = self.picture(name) if data is None else data
        sha256 = sha256_of(data)
        key = keys.picture(TENANT, sha256)
        self.ports.blobs.put(key, data)
        place = Place(key, 0, len(data))
        write = ImageWrite(TENANT, sha256, place, "image/png", 32, 32, self.clock() + 60_000)
        assert self.ports.catalogue.images.put([write]) != [None]
        return sha256

    def put(self, product_id: str, *images: str, title: str = "") -> Outcome:
        fresh = self.ports.targets.fresh(TENANT)
        write = ProductWrite(
            TENANT, product_id, Attributes(title=title), images, fresh.names, fresh.not_after
        )
        (outcome,) = self.ports.catalogue.products.upsert([write])
        return outcome

    def product(self, product_id: str) -> Product:
        return self.ports.catalogue.products.get(TENANT, [product_id])[product_id]

    def image(self, sha256: str) -> Image:
        return self.ports.catalogue.images.get(TENANT, [sha256])[sha256]

    def error(self, sha256: str) -> str | None:
        progress = self.image(sha256).state.get("f1")
        return None if progress is None else progress.error

    def left(self) -> int:
        return self.ports.catalogue.images.unembedded("f1", TENANT)

    def letters(self) -> dict[str, str]:
        return {letter.key: letter.code for letter in self.ports.catalogue.dead.page(TENANT)}

    def embed_until_quiet(self) -> int:
        """As the reconciler does: rings while something is claimable, then lets leases end."""
        rounds = 0
        while self.left() and rounds < 60:
            rounds += 1
            with suppress(Killed, Unavailable):
                handle(self.ports, EmbedImages("f1"))
            if not self.ports.catalogue.images.claimable("f1", 1):
                self.clock.forward(minutes=2)
        return rounds

    def start_import(self, data: bytes, format_: Format = "bson", **options: Any) -> str:
        key = keys.upload(TENANT, new_id("upl"))
        self.ports.blobs.put(key, data)
        return self.import_of(key, len(data), format_, **options)

    def import_of(self, source: str, size: int, format_: Format, **options: Any) -> str:
        if named := options.pop("categories", None):
            options["categories"] = f"tenants/{TENANT}/reports/{new_id('cat')}"
            self.ports.blobs.put(options["categories"], json.dumps(named).encode())
        made = Import(
            new_id("imp"), TENANT, format_, source, size, 0, "running", Options(**options)
        )
        return self.ports.catalogue.imports.create(made).import_id

    def planned(self, data: bytes, **options: Any) -> str:
        """An import that is divided, its chunks not rung for."""
        import_id = self.start_import(data, **options)
        plan_import(self.ports, import_id)
        self.queue.rung.clear()
        return import_id

    def bring_in(self, import_id: str) -> Import:
        """Planned, every chunk worked on, ended."""
        handle(self.ports, PlanImport(import_id))
        self.run_chunks(import_id)
        return self.state(import_id)

    def state(self, import_id: str) -> Import:
        found = self.ports.catalogue.imports.get(import_id)
        assert found is not None
        return found

    def counters(self, import_id: str) -> Counters:
        return self.ports.catalogue.imports.tally(import_id).counters

    def run_chunks(self, import_id: str) -> None:
        """Every chunk that waits, until none does."""
        for _ in range(200):
            waiting = self.ports.catalogue.imports.waiting(import_id, 1000)
            if not self.ports.catalogue.imports.open(import_id):
                return
            for chunk in waiting:
                with suppress(Killed):
                    handle(self.ports, ImportChunk(import_id, chunk.number))
            self.clock.forward(minutes=6)
        raise AssertionError("the import never ends")

    @staticmethod
    def records(*products: tuple[int, Sequence[bytes]], **extras: Any) -> bytes:
        return b"".join(encode(number, data, extras=extras) for number, data in products)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock, embedder, queue = Clock(), TinyEmbedder(), Remembering()
    with SqliteCatalogue(tmp_path / "catalogue.sqlite", clock=clock) as catalogue:
        index = Index("idx_1", TENANT, "tiny", SPACES, 2, ("segments",), (), "ready", 0)
        catalogue.indexes.create(index)
        blobs = FsspecBlobs(f"file://{tmp_path}/blobs")
        ports = Ports(
            catalogue,
            blobs,
            queue,
            embedder,
            Targets(catalogue),
            Places(blobs, catalogue.office, (tmp_path / "open",)),
            batch=8,
            chunk_records=4,
        )
        (tmp_path / "open").mkdir()
        yield House(ports, clock, embedder, queue, tmp_path)
