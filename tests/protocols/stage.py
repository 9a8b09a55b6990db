"""The real pipeline, over SQLite and a folder, as processes that take turns."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.embedder.chunks import import_chunk
from services.embedder.ending import finish_import
from services.embedder.images import embed_images
from services.embedder.imports import plan_import
from services.embedder.ports import Ports as EmbedderPorts
from services.gateway import hydration, products, removal
from services.gateway.keys import Caller
from services.gateway.ports import Ports as GatewayPorts
from services.gateway.schemas.products import ProductBody
from services.gateway.settings import GatewaySettings
from services.gateway.stopwatch import Stopwatch
from services.indexer.build import build_index, create_index
from services.indexer.compaction import compact_shard
from services.indexer.elastic import sync_elasticsearch
from services.indexer.files import sweep_shard_files
from services.indexer.ports import Limits
from services.indexer.ports import Ports as IndexerPorts
from services.indexer.rebuild import start_rebuild
from services.indexer.reconciler import building, embedding, imports, syncing
from services.indexer.sweep import sweep_blobs, sweep_images, sweep_tombstones
from services.indexer.sync import sync_shard
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.products import Outcome
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.targets import Targets
from shared.errors import LookalikeError
from shared.hits import SearchRequest
from shared.index.view import ShardView
from shared.indexes import LIVE, Index
from shared.jobs import FINISHED, Import, Options
from shared.places import Places
from shared.sources.bson import encode
from shared.tasks import (
    BuildIndex,
    CompactShard,
    EmbedImages,
    Evaluate,
    FinishImport,
    ImportChunk,
    PlanImport,
    RegisterModel,
    SyncElasticsearch,
    SyncShard,
    Task,
    Train,
)
from tests.protocols.ledger import Ledger
from tests.protocols.promises import (
    Operation,
    Violation,
    check_bytes,
    check_index,
    check_writes,
    views,
)
from tests.protocols.scenery import (
    CACHE,
    DAY,
    MINUTE,
    ONE,
    PICTURES,
    PIDS,
    SECOND,
    SHA,
    SHARDS,
    TENANT,
    TWO,
    SeededEmbedder,
    spaces,
)
from tests.protocols.searcher import EverythingSearcher
from tests.protocols.turnstiles import Doorbells, StagedBlobs, StagedCatalogue


class Stage(Ledger):
    """Stores, and what a shop, a worker and a sweeper do with them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.store = SqliteCatalogue(folder / "catalogue.sqlite", clock=lambda: self.now)
        self.catalogue: Any = StagedCatalogue(self.store, self)
        self.plain_blobs = FsspecBlobs((folder / "blobs").as_uri(), folder / "cache")
        self.blobs: Any = StagedBlobs(self.plain_blobs, self)
        self.bells = Doorbells()
        scratch = folder / "scratch"
        scratch.mkdir()
        # Two gateways, each with a list of targets of its own, and a worker with a third.
        self.gateways = [self._gateway(Targets(self.catalogue, CACHE)) for _ in range(2)]
        limits = Limits(batch=8, page=4, tier=3, tier_from=4, dead_share=0.25)
        self.indexer = IndexerPorts(
            self.catalogue, self.blobs, self.bells, Targets(self.catalogue, CACHE), scratch, limits
        )
        self.embedders = {
            version: EmbedderPorts(
                self.catalogue,
                self.blobs,
                self.bells,
                SeededEmbedder(spaces(version)),
                Targets(self.catalogue, CACHE),
                Places(self.blobs, self.catalogue.office),
                batch=2,
            )
            for version in ("f1", "f2")
        }
        self.add_index(ONE, "f1")

    def put(self, pid: str, images: str, title: str, gateway: int) -> None:
        caller = self.gateways[gateway]
        shas = tuple(SHA[name] for name in images)
        op = self.begin(pid, (title, shas))
        body = ProductBody.model_validate(
            {"title": title, "images": [{"base64": _base64(PICTURES[n])} for n in images]}
        )
        try:
            result = products.write(caller, [products.draft(caller, pid, body)])[0]
        except LookalikeError:
            return
        if isinstance(result, Outcome) and result.accepted:
            self.acknowledge(op)

    def patch(self, pid: str, title: str, gateway: int) -> None:
        op = self.begin(pid, None)
        op.content = ("", ())  # known when it took effect
        try:
            products.patch(self.gateways[gateway], pid, {"title": title})
        except LookalikeError:
            return
        self.acknowledge(op)

    def delete(self, pid: str, gateway: int, *, purge: bool) -> None:
        op = self.begin(pid, None)
        caller = self.gateways[gateway]
        try:
            gone = products.delete(caller, pid, None)
        except LookalikeError:
            return
        if purge:
            removal.purge(caller, gone)
        self.acknowledge(op)

    def bring_in(self, records: Sequence[tuple[str, str, str]], *, full: bool = False) -> None:
        """Creates an import of (product number, title, images) records, or of all there are."""
        blob = f"tenants/{TENANT}/imports/{self._next()}.bson"
        parts = [
            encode(int(pid), [PICTURES[n] for n in images], extras={"title": title})
            for pid, title, images in records
        ]
        self.blobs.put(blob, b"".join(parts))
        import_id = f"imp_{self._next()}"
        made = self.catalogue.imports.create(
            Import(
                *(import_id, TENANT, "bson", blob, sum(map(len, parts))),
                created=0,
                state="running",
                options=Options(mode="replace", max_deleted=1.0) if full else Options(),
            )
        )
        if full:
            before = (made.created, -1)
            self.silences[import_id] = [
                Operation(pid, before, before) for pid in set(PIDS) - {pid for pid, *_ in records}
            ]
            self.operations += self.silences[import_id]
        offset = 0
        for (pid, title, images), part in zip(records, parts, strict=True):
            at = (made.created, offset)
            content = (title, tuple(dict.fromkeys(SHA[name] for name in images)))
            op = Operation(pid, at, at, content)
            self.operations.append(op)
            self.records[import_id, offset] = op
            offset += len(part)

    def answer(self, task: Task) -> None:
        """What a worker does when it is rung."""
        match task:
            case EmbedImages():
                embed_images(self.embedders[task.fingerprint], task)
            case PlanImport():
                plan_import(self.embedders["f1"], task.import_id)
            case ImportChunk():
                import_chunk(self.embedders["f1"], task)
            case FinishImport():
                finish_import(self.embedders["f1"], task.import_id)
            case SyncShard():
                sync_shard(self.indexer, task)
            case SyncElasticsearch():
                sync_elasticsearch(self.indexer, task)
            case CompactShard():
                compact_shard(self.indexer, task)
            case BuildIndex():
                build_index(self.indexer, task)
            case Evaluate() | RegisterModel() | Train():
                raise AssertionError(f"nobody on this stage rings for {task}")

    def rebuild(self, index_id: str, shard: int) -> None:
        index = self.catalogue.indexes.get(index_id)
        if index is not None:
            start_rebuild(self.indexer, index, shard)

    def second_index(self) -> None:
        if self.catalogue.indexes.get(TWO) is None:
            create_index(self.indexer, self._index(TWO, "f2"))

    def sweep(self) -> None:
        sweep_images(self.indexer)
        sweep_blobs(self.indexer)
        sweep_tombstones(self.indexer)
        for index in self.catalogue.indexes.all():
            for shard in range(index.shards):
                sweep_shard_files(self.indexer, index, shard)

    def search(self) -> None:
        """Answers hold no product whose deletion was acknowledged before."""
        gone = {
            op.pid: self.effects(op.pid)
            for op in self.operations
            if op.content is None and op.acked and self._deleted(op.pid)
        }
        ports = self.gateways[0].ports
        alias = self.catalogue.indexes.alias(TENANT, LIVE)
        index = self.catalogue.indexes.get(alias.index_id)
        request = SearchRequest(TENANT, index.index_id, index.spaces.fingerprint, limit=50)
        found = hydration.find(ports, request, Stopwatch())
        for hit, _ in found.hits:
            if gone.get(hit.product_id) == self.effects(hit.product_id):
                raise Violation(f"{hit.product_id} was answered after its deletion")

    def _deleted(self, pid: str) -> bool:
        found = self.store.products.get(TENANT, [pid]).get(pid)
        return found is None or found.deleted

    def quiet(self) -> None:
        """No more faults: what the documents say is to be done is done, until nothing is."""
        self.now = max([self.now, *(self.wakes.get(me, 0) for me in self.processes)])
        for round_ in range(200):
            self.drain(round_)
            # The audit stays away on purpose: it would mask holes.
            todo = [
                task
                for look in (imports, embedding, syncing, building)
                for task in look(self.indexer)
            ]
            if not todo and not self.processes and not self._unfinished():
                return
            self.bells.rung.clear()
            for task in dict.fromkeys(todo):
                self.start(type(task).__name__, self.answer, task)
            self.drain(round_)
            self.now += 10 * SECOND
        raise Violation("it never becomes quiet")

    def finish(self) -> None:
        """Quiet and right; and again after days with sweeps, compactions and searches."""
        self.quiet()
        self.check()
        for day in range(3):
            self.now += DAY + MINUTE
            self.start("sweep", self.sweep)
            for index_id in (ONE, TWO):
                for shard in range(SHARDS):
                    self.start("compact", self.answer, CompactShard(index_id, shard))
            self.start("search", self.search)
            self.drain(day)
        self.quiet()
        self.check()

    def close(self) -> None:
        super().close()
        self.store.close()

    def check(self) -> None:
        """Raises `Violation` where a promise is broken."""
        for import_id, silence in self.silences.items():
            found = self.store.imports.get(import_id)
            assert found is not None
            for op in silence:
                op.acked = found.state == "succeeded"
        check_bytes(self.store, self.plain_blobs)
        check_writes(self.store, self.operations)
        for index in self.store.indexes.all(TENANT):
            check_index(self.store, self.plain_blobs, index)

    def views(self, index: Index) -> list[ShardView]:
        return views(self.store, self.plain_blobs, index)

    def add_index(self, index_id: str, version: str) -> None:
        self.store.indexes.create(self._index(index_id, version))
        self.store.indexes.set_state(index_id, "ready")
        self.store.indexes.move_alias(TENANT, LIVE, index_id)

    def _index(self, index_id: str, version: str) -> Index:
        return Index(
            index_id, TENANT, version, spaces(version), SHARDS, ("segments",), (), "building", 0
        )

    def _gateway(self, targets: Targets) -> Caller:
        ports = GatewayPorts(
            self.catalogue,
            self.blobs,
            self.bells,
            SeededEmbedder(spaces("f1")),
            EverythingSearcher(self),
            targets,
            Places(self.blobs, self.catalogue.office),
            GatewaySettings(),
        )
        return Caller(TENANT, "admin", "key_1", ports)

    def _unfinished(self) -> bool:
        """Leases that run, imports that are not settled."""
        todo = any(imp.state not in FINISHED for imp in self.store.imports.recent(TENANT))
        fingerprints = {i.spaces.fingerprint for i in self.store.indexes.all()}
        return todo or any(self.store.images.unembedded(f, TENANT) for f in fingerprints)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
