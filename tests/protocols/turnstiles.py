"""Ports at which processes give way to each other, and doorbells that nobody has to hear."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.port import BlobInfo
from shared.catalogue.products import Outcome
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.tasks import QueueName, Task


class Scheduler(Protocol):
    """What a turnstile asks of the stage."""

    now: int

    def give_way(self, label: str) -> None: ...

    def fell_silent(self, import_id: str, pids: Collection[str]) -> None: ...

    def took_effect(self, outcome: Outcome, origin: Any) -> None: ...


class Turnstile:
    """A port whose every call first gives way to the other processes."""

    def __init__(self, port: object, name: str, stage: Scheduler) -> None:
        self._port, self._name, self._stage = port, name, stage

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._port, attribute)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            self._stage.give_way(f"{self._name}.{attribute}")
            return found(*args, **options)

        return call


class WatchedProducts(Turnstile):
    """Tells the oracle when a write took effect, be it acknowledged later or not."""

    def upsert(self, writes: Sequence[Any]) -> list[Outcome]:
        # Each document is written by itself, so others may come in between.
        outcomes: list[Outcome] = []
        for write in writes:
            self._stage.give_way(f"products.upsert {write.product_id}")
            (outcome,) = self._port.upsert([write])  # type: ignore[attr-defined]
            outcomes.append(outcome)
            self._stage.took_effect(outcome, write.origin)
        return outcomes

    def patch(self, tenant: str, product_id: str, **options: Any) -> Outcome:
        self._stage.give_way(f"products.patch {product_id}")
        outcome: Outcome = self._port.patch(tenant, product_id, **options)  # type: ignore[attr-defined]
        self._stage.took_effect(outcome, None)
        return outcome

    def withdraw(self, tenant: str, product_ids: Sequence[str], **options: Any) -> list[str]:
        stay: list[str] = []
        for product_id in product_ids:
            self._stage.give_way(f"products.withdraw {product_id}")
            stay += self._port.withdraw(tenant, [product_id], **options)  # type: ignore[attr-defined]
        self._stage.fell_silent(options["origin"].import_id, set(product_ids) - set(stay))
        return stay

    def delete(self, tenant: str, product_id: str, **options: Any) -> Outcome:
        self._stage.give_way(f"products.delete {product_id}")
        outcome: Outcome = self._port.delete(tenant, product_id, **options)  # type: ignore[attr-defined]
        self._stage.took_effect(outcome, None)
        return outcome


class StagedCatalogue:
    """The catalogue with a turnstile before every operation; its clock is the stage's."""

    def __init__(self, store: SqliteCatalogue, stage: Scheduler) -> None:
        self.products: Any = WatchedProducts(store.products, "products", stage)
        for name in ("images", "imports", "dead", "fetches", "indexes", "models", "office"):
            setattr(self, name, Turnstile(getattr(store, name), name, stage))
        self.images: Any
        self.imports: Any
        self.dead: Any
        self.fetches: Any
        self.indexes: Any
        self.models: Any
        self.office: Any
        self._store = store

    def now(self) -> int:
        return self._store.now()

    def close(self) -> None:
        self._store.close()


class StagedBlobs(Turnstile):
    """Blobs whose age is told by the stage's clock."""

    def __init__(self, blobs: FsspecBlobs, stage: Scheduler) -> None:
        super().__init__(blobs, "blobs", stage)
        self._written: dict[str, int] = {}

    def put(self, key: str, data: bytes) -> None:
        self._stage.give_way(f"blobs.put {key}")
        self._port.put(key, data)  # type: ignore[attr-defined]
        self._written[key] = self._stage.now

    def put_file(self, key: str, path: Path) -> None:
        self._stage.give_way(f"blobs.put_file {key}")
        self._port.put_file(key, path)  # type: ignore[attr-defined]
        self._written[key] = self._stage.now

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        self._stage.give_way(f"blobs.list {prefix}")
        found = list(self._port.list(prefix))  # type: ignore[attr-defined]
        return iter([BlobInfo(b.key, b.size, self._written.get(b.key, 0)) for b in found])


@dataclass
class Doorbells:
    """Rings as they were rung; the scheduler answers, doubles, reorders or forgets them."""

    rung: list[Task] = field(default_factory=list)

    def ring(self, task: Task) -> bool:
        self.rung.append(task)
        return True

    def waiting(self, _queue: QueueName) -> int:
        return 0
