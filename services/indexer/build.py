"""A second index beside the first: every product into it, a check, and only then the alias.

Every step is short and finds from the documents how far it is; whoever has to wait says so and is
rung again by the reconciler.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from services.indexer.audit import compare
from services.indexer.elastic import rest, resting
from services.indexer.elastic_audit import audit_elasticsearch
from services.indexer.ports import SECOND_MS, Ports
from services.indexer.rebuild import go_on_rebuilding
from services.indexer.walk import finish, job_of, walk
from shared.errors import Conflict, NotFound
from shared.index.elasticsearch.port import Away
from shared.indexes import Index
from shared.products import Product
from shared.tasks import BuildIndex

logger = logging.getLogger(__name__)

Progress = Literal["gone", "waiting", "incomplete", "ready"]
LIVE: Final = "live"


def build_job_id(index: Index) -> str:
    """The job that shows how far an index is; `progress.alias` names the alias that it gets."""
    return f"index-{index.index_id}-{index.created}"


def create_index(ports: Ports, index: Index, *, alias: str | None = LIVE) -> Index:
    """Made unless it is there, and begun; from its creation on, writes name its targets."""
    # rule: index_is_state
    made = ports.catalogue.indexes.create(replace(index, state="building"))
    if ports.catalogue.office.job(made.tenant, build_job_id(made)) is None:
        job = job_of(ports, made.tenant, build_job_id(made), "index")
        ports.catalogue.office.put_job(replace(job, progress={"alias": alias}))
    ports.queue.ring(BuildIndex(made.index_id))
    return made


def ensure_index(ports: Ports, wanted: Index, *, alone: bool = False) -> Index | None:
    """The one that was made; None where one of this model follows all these targets already.

    The first index of a tenant is live from its beginning, for there is none that is better. With
    nobody else who writes (`alone`), it is also complete: there is nothing to fill it with.
    """
    indexes = ports.catalogue.indexes
    there = indexes.all(wanted.tenant)
    if any(
        index.spaces.fingerprint == wanted.spaces.fingerprint
        and set(wanted.targets) <= set(index.targets)
        for index in there
    ):
        return None
    if there or not alone:
        made = create_index(ports, wanted)
    else:
        made = indexes.create(wanted)
        indexes.set_state(made.index_id, "ready")
    if not there:
        indexes.move_alias(made.tenant, LIVE, made.index_id, expected=0)
    return made


def build_index(ports: Ports, task: BuildIndex) -> Progress:
    """Goes on with rebuilding shards and with building, as far as it gets without waiting."""
    index = ports.catalogue.indexes.get(task.index)
    if index is None:
        return "gone"
    until = ports.catalogue.now() + ports.limits.build_ms
    if not _rebuild_shards(ports, index, until):
        ports.queue.ring(task)
        return "incomplete"
    # rule: index_is_state
    if index.state != "building":
        return "ready"
    # rule: backfill_delay
    ripe = index.created + 2 * ports.targets.cache_ms + SECOND_MS
    if ports.catalogue.now() < ripe:
        return "waiting"
    if not _backfill(ports, index, until):
        ports.queue.ring(task)
        return "incomplete"
    return _complete(ports, index)


def _rebuild_shards(ports: Ports, index: Index, until: int) -> bool:
    pointers = [ports.catalogue.indexes.pointer(index.index_id, n) for n in range(index.shards)]
    done = [go_on_rebuilding(ports, index, pointer, until) for pointer in pointers]
    return all(done)


def _backfill(ports: Ports, index: Index, until: int) -> bool:
    """Every product, tombstones too, waits for the targets of the index; whether all do."""

    def add(page: list[Product]) -> None:
        ids = [product.product_id for product in page]
        ports.catalogue.products.add_pending(index.tenant, index.target_names(), ids)

    return walk(ports, job_of(ports, index.tenant, build_job_id(index), "index"), add, until)


def _complete(ports: Ports, index: Index) -> Progress:
    """Checks, then the alias, then the state: what is interrupted in between is done again."""
    alias = _wanted_alias(ports, index)
    standing = ports.catalogue.indexes.alias(index.tenant, alias) if alias else None
    # rule: embedding_complete
    if ports.catalogue.images.unembedded(index.spaces.fingerprint, index.tenant):
        return "waiting"
    if _pending(ports, index.target_names()) or _rebuilding(ports, index):
        return "waiting"
    # rule: verify_first
    if not _verified(ports, index):
        return "incomplete"
    if alias and (standing is None or standing.index_id != index.index_id):
        # A builder that froze here finds that the alias went on without it.
        expected = standing.version if standing else 0
        moved = ports.catalogue.indexes.move_alias(
            index.tenant, alias, index.index_id, expected=expected
        )
        if moved is None:
            return "incomplete"
    ports.catalogue.indexes.set_state(index.index_id, "ready")
    finish(ports, index.tenant, build_job_id(index))
    return "ready"


def _wanted_alias(ports: Ports, index: Index) -> str | None:
    job = ports.catalogue.office.job(index.tenant, build_job_id(index))
    wanted = job.progress.get("alias", LIVE) if job else LIVE
    return None if wanted is None else str(wanted)


def _pending(ports: Ports, targets: Collection[str]) -> bool:
    return any(ports.catalogue.products.count_pending(name)[0] for name in targets)


def _rebuilding(ports: Ports, index: Index) -> bool:
    pointers = (ports.catalogue.indexes.pointer(index.index_id, n) for n in range(index.shards))
    return any(pointer.rebuilding is not None for pointer in pointers)


def _verified(ports: Ports, index: Index) -> bool:
    """Whether every target shows what the catalogue has; what is missing is pending again."""
    return _in_segments(ports, index) and _in_elasticsearch(ports, index)


def _in_segments(ports: Ports, index: Index) -> bool:
    if "segments" not in index.targets:
        return True
    repaired = [compare(ports, index, shard).repair(ports) for shard in range(index.shards)]
    return not any(repaired)


def _in_elasticsearch(ports: Ports, index: Index) -> bool:
    """While it is away, nobody knows."""
    if "elasticsearch" not in index.targets:
        return True
    if ports.elastic is None or resting(ports, index):
        return False
    try:
        audits = [audit_elasticsearch(ports, ports.elastic, index, n) for n in range(index.shards)]
    except Away as error:
        rest(ports, index, error)
        return False
    return not any(audits)


def drop_index(ports: Ports, index_id: str) -> None:
    """The end of an index that no alias is on; its files are swept later.

    Writers may name its targets for a while yet, and Elasticsearch may be away: a job remembers to
    do both once more.
    """
    index = ports.catalogue.indexes.get(index_id)
    if index is None:
        raise NotFound(f"There is no index {index_id}.")
    alias = ports.catalogue.indexes.alias(index.tenant, LIVE)
    if alias is not None and alias.index_id == index_id:
        raise Conflict(f"{index_id} is `{LIVE}`: move the alias to another index first.")
    ports.catalogue.indexes.set_state(index_id, "retired")
    job = job_of(ports, index.tenant, f"drop-{index_id}-{index.created}", "drop")
    names = sorted(index.target_names())
    progress: dict[str, Any] = {"targets": names}
    if ports.elastic is not None and "elasticsearch" in index.targets:
        progress["elasticsearch"] = ports.elastic.name(index)
    ports.catalogue.office.put_job(replace(job, progress=progress))
    ports.catalogue.indexes.drop(index_id)
    ports.catalogue.products.forget_targets(index.tenant, index.target_names())
    _drop_elsewhere(ports, progress)


def _drop_elsewhere(ports: Ports, progress: Mapping[str, Any]) -> bool:
    """Whether Elasticsearch holds nothing of a dropped index."""
    name = progress.get("elasticsearch")
    if name is None:
        return True
    if ports.elastic is None:
        return False
    try:
        ports.elastic.drop(name)
    except Away as error:
        logger.warning("%s is still in Elasticsearch: %s", name, error.detail)
        return False
    return True


def forget_dropped(ports: Ports, tenant: str) -> None:
    """Pulls the targets of dropped indexes again, when no writer names them any more."""
    for job in ports.catalogue.office.jobs(tenant):
        ripe = job.created + 2 * ports.targets.cache_ms + SECOND_MS
        if job.kind != "drop" or job.state != "running" or ports.catalogue.now() < ripe:
            continue
        # What a drop could not do before it died is done here; an index made again keeps its own.
        index_ids = {str(name).partition("/")[0] for name in job.progress["targets"]}
        if not any(ports.catalogue.indexes.get(index_id) for index_id in index_ids):
            names = frozenset(map(str, job.progress["targets"]))
            ports.catalogue.products.forget_targets(tenant, names)
        if _drop_elsewhere(ports, job.progress):
            finish(ports, tenant, job.job_id)
