"""The loop that makes the system converge: it rings again for whatever the documents say is to do."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from services.indexer.audit import audit_shard
from services.indexer.build import forget_dropped
from services.indexer.commit import manifest_of
from services.indexer.compaction import due
from services.indexer.elastic import rest, resting
from services.indexer.elastic_audit import audit_elasticsearch
from services.indexer.exam.job import lease_of
from services.indexer.files import sweep_dropped, sweep_shard_files
from services.indexer.lease import every, free
from services.indexer.ports import HOUR_MS, MINUTE_MS, SECOND_MS, Ports
from services.indexer.sweep import sweep_blobs, sweep_images, sweep_tombstones, sweep_uploads
from services.indexer.sync import Todo
from services.indexer.tiers import full_tier
from shared.catalogue.building import REEMBEDDING
from shared.evaluations import EVALUATION
from shared.ids import ulid
from shared.index.elasticsearch.port import Away
from shared.indexes import Index, TargetKind, target
from shared.jobs import Import
from shared.models import REGISTRATION, registration_lease
from shared.tasks import (
    BuildIndex,
    CompactShard,
    EmbedImages,
    Evaluate,
    FinishImport,
    ImportChunk,
    PlanImport,
    RegisterModel,
    Task,
    Train,
    queue_of,
    sync_of,
)
from shared.trainings import TRAINING, is_due

logger = logging.getLogger(__name__)

CLAIM = 64
"""Images that one ring of the embedder is good for."""
LEASE_MS = 30 * SECOND_MS


def imports(ports: Ports) -> Iterator[Task]:
    """Plans that are not whole, chunks that wait, and the end when none does."""
    for imp in ports.catalogue.imports.unfinished():
        yield from _import(ports, imp)


def _import(ports: Ports, imp: Import) -> Iterator[Task]:
    if imp.state not in ("queued", "running"):
        return
    if not imp.planned:
        yield PlanImport(imp.import_id)
    elif not ports.catalogue.imports.open(imp.import_id):
        yield FinishImport(imp.import_id)
    for chunk in ports.catalogue.imports.waiting(imp.import_id, 2 * ports.limits.workers):
        yield ImportChunk(imp.import_id, chunk.number)


def embedding(ports: Ports) -> Iterator[Task]:
    """A ring for every so many claimable images of each fingerprint that an index wants."""
    for fingerprint in dict.fromkeys(i.spaces.fingerprint for i in ports.catalogue.indexes.all()):
        found = ports.catalogue.images.claimable(fingerprint, CLAIM * 2 * ports.limits.workers)
        yield from (EmbedImages(fingerprint) for _ in range(0, len(found), CLAIM))


def syncing(ports: Ports) -> Iterator[Task]:
    """Shard by shard, the targets in turn, so that a slow one does not take all places."""
    for index in ports.catalogue.indexes.all():
        behind = [kind for kind in index.targets if _behind(ports, index, kind)]
        for shard in range(index.shards):
            for kind in behind:
                if Todo(index, kind, shard).pending(ports, 1):
                    yield sync_of(index, kind, shard)


def _behind(ports: Ports, index: Index, kind: TargetKind) -> bool:
    """Whether a target has something to follow, and is there to do so."""
    if not ports.catalogue.products.count_pending(target(index.index_id, kind))[0]:
        return False
    return kind == "segments" or (ports.elastic is not None and not resting(ports, index))


def compacting(ports: Ports) -> Iterator[Task]:
    """Seldom: a sync rings by itself when it filled a tier, this is for rings that were lost."""
    if not every(ports, "compaction", MINUTE_MS):
        return
    for index, _ in _with_segments(ports):
        for shard in range(index.shards):
            pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
            manifest = manifest_of(ports.blobs, index, pointer)
            if full_tier(manifest.segments, ports.limits):
                yield CompactShard(index.index_id, shard)


def building(ports: Ports) -> Iterator[Task]:
    """Indexes with something left to do, and those that a re-embedding has not done with."""
    followed = (
        job.progress["index"] for job in ports.catalogue.office.unfinished_jobs(REEMBEDDING)
    )
    for index_id in dict.fromkeys((*_unfinished(ports), *followed)):
        yield BuildIndex(str(index_id))


def _unfinished(ports: Ports) -> Iterator[str]:
    for index in ports.catalogue.indexes.all():
        shards = range(index.shards)
        pointers = (ports.catalogue.indexes.pointer(index.index_id, shard) for shard in shards)
        dropping = index.state == "retired"
        if dropping or index.state == "building" or any(p.rebuilding is not None for p in pointers):
            yield index.index_id


def evaluating(ports: Ports) -> Iterator[Task]:
    """Exams that nobody is at."""
    for job in ports.catalogue.office.unfinished_jobs(EVALUATION):
        if free(ports, lease_of(job)):
            yield Evaluate(job.tenant, job.job_id)


def training(ports: Ports) -> Iterator[Task]:
    """Trainings that nobody has taken, and those whose trainer died."""
    now = ports.catalogue.now()
    for job in ports.catalogue.office.unfinished_jobs(TRAINING):
        if is_due(job, now):
            yield Train(job.tenant, job.job_id)


def registering(ports: Ports) -> Iterator[Task]:
    """Models handed in that nobody is at."""
    for job in ports.catalogue.office.unfinished_jobs(REGISTRATION):
        if free(ports, registration_lease(job.job_id)):
            yield RegisterModel(job.tenant, job.job_id)


def _with_segments(ports: Ports) -> Iterator[tuple[Index, str]]:
    for index in ports.catalogue.indexes.all():
        if "segments" in index.targets:
            yield index, target(index.index_id, "segments")


STEPS: tuple[Callable[[Ports], Iterator[Task]], ...] = (
    syncing,
    embedding,
    imports,
    building,
    compacting,
    evaluating,
    training,
    registering,
)


def one_round(ports: Ports) -> list[Task]:
    """Rings for what is to do, as far as queues are not full already; what it rang."""
    free = {
        queue: 2 * ports.limits.workers - ports.queue.waiting(queue)
        for queue in ("embed_bulk", "index", "build", "train")
    }
    rung: list[Task] = []
    for step in STEPS:
        for task in _tasks(ports, step):
            queue = queue_of(task)
            if free[queue] <= 0:
                continue
            if not ports.queue.ring(task):
                free[queue] = 0
                continue
            free[queue] -= 1
            rung.append(task)
    return rung


def _tasks(ports: Ports, step: Callable[[Ports], Iterator[Task]]) -> list[Task]:
    """What a step finds; one that fails stops no other."""
    try:
        return list(step(ports))
    except Exception:
        logger.exception("the reconciler could not look at %s", step.__name__)
        return []


def audits(ports: Ports) -> int:
    """How many shards had drifted; one with many dead rows is told to compaction."""
    drifted = 0
    for index, shard in _shards(ports):
        pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
        if index.state == "building" or pointer.rebuilding is not None:
            continue  # its build looks for itself
        drifted += audit_shard(ports, index, shard)
        if due(ports, pointer, manifest_of(ports.blobs, index, pointer)):
            ports.queue.ring(CompactShard(index.index_id, shard))
    return drifted


def audits_of_elasticsearch(ports: Ports) -> int:
    """The same there; while it is away nobody knows."""
    if ports.elastic is None:
        return 0
    drifted = 0
    for index in ports.catalogue.indexes.all():
        if "elasticsearch" not in index.targets or index.state == "building":
            continue
        try:
            for shard in range(index.shards):
                drifted += audit_elasticsearch(ports, ports.elastic, index, shard)
        except Away as error:
            rest(ports, index, error)
    return drifted


def sweep_files(ports: Ports) -> int:
    swept = [sweep_shard_files(ports, index, shard) for index, shard in _shards(ports)]
    return sum(swept) + sweep_dropped(ports)


def _shards(ports: Ports) -> Iterator[tuple[Index, int]]:
    return ((index, n) for index, _ in _with_segments(ports) for n in range(index.shards))


def forget_targets(ports: Ports) -> int:
    tenants = {index.tenant for index in ports.catalogue.indexes.all()}
    for tenant in tenants:
        forget_dropped(ports, tenant)
    return len(tenants)


CHORES: tuple[tuple[Callable[[Ports], int], int], ...] = (
    (audits, 10 * MINUTE_MS),
    (audits_of_elasticsearch, 10 * MINUTE_MS),
    (forget_targets, MINUTE_MS),
    (sweep_files, HOUR_MS),
    (sweep_tombstones, HOUR_MS),
    (sweep_images, 6 * HOUR_MS),
    (sweep_blobs, 6 * HOUR_MS),
    (sweep_uploads, 6 * HOUR_MS),
)
"""In this order; each at most once in its interval, whatever the number of processes."""


def chores(ports: Ports) -> dict[str, int]:
    """Does what is due; how much each had to do. One that fails stops no other."""
    done: dict[str, int] = {}
    for chore, interval_ms in CHORES:
        try:
            if every(ports, chore.__name__, interval_ms):
                done[chore.__name__] = chore(ports)
        except Exception:
            logger.exception("the chore %s was not done", chore.__name__)
    return done


@dataclass(slots=True)
class Reconciler:
    """Rounds every `interval` seconds and, beside them, chores; one process at a time rings."""

    ports: Ports
    interval: float = 1.0
    holder: str = field(default_factory=ulid)
    beat: Callable[[], object] = lambda: None
    """Called at every turn, to show that the loop is alive."""

    def round(self) -> list[Task]:
        """What was rung; nothing while another process does it."""
        office = self.ports.catalogue.office
        lease_ms = max(LEASE_MS, int(3 * self.interval * SECOND_MS))
        return one_round(self.ports) if office.lease("reconciler", self.holder, lease_ms) else []

    def run(self, stop: threading.Event) -> None:
        """Until it is stopped; a store that is down is asked again the next time."""
        pending: Future[dict[str, int]] | None = None
        with ThreadPoolExecutor(1, "chores") as pool:
            while not stop.is_set():
                self.beat()
                try:
                    self.round()
                except Exception:
                    logger.exception("a round of the reconciler failed")
                if pending is None or pending.done():
                    pending = pool.submit(chores, self.ports)
                stop.wait(self.interval)
