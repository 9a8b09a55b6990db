"""A second index beside the first: every product into it, a check, and only then the alias.

Every step is short and finds from the documents how far it is; whoever has to wait says so and is
rung again by the reconciler.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Literal

from services.indexer.audit import compare
from services.indexer.elastic import rest, resting
from services.indexer.elastic_audit import audit_elasticsearch
from services.indexer.ports import SECOND_MS, Ports
from services.indexer.rebuild import go_on_rebuilding
from services.indexer.walk import finish, job_of, walk
from shared.catalogue.building import begin
from shared.errors import Conflict, NotFound
from shared.index.elasticsearch.port import Away
from shared.indexes import LIVE, Index, Why, build_job_id
from shared.products import Product
from shared.tasks import BuildIndex

logger = logging.getLogger(__name__)

Progress = Literal["gone", "waiting", "incomplete", "ready"]


def create_index(ports: Ports, index: Index, *, alias: str | None = LIVE) -> Index:
    """Made unless it is there, and begun; once everything is in it, the alias moves to it."""
    return begin(ports.catalogue, ports.queue, replace(index, alias=alias))


def ensure_index(ports: Ports, wanted: Index, *, alone: bool = False) -> Index | None:
    """The one that was made for the settings' model; None where there is nothing to make.

    The first index of a tenant is live from its beginning, for there is none that is better. With
    nobody else who writes (`alone`), it is also complete: there is nothing to fill it with.
    """
    indexes = ports.catalogue.indexes
    there = indexes.all(wanted.tenant)
    same = [index for index in there if _serves(index, wanted)]
    if same:
        _return_to(ports, same)
        return None
    if _left_by_people(ports, wanted):
        return None
    if there or not alone:
        made = create_index(ports, wanted)
    else:
        made = indexes.create(wanted)
        indexes.set_state(made.index_id, "ready")
    if not there:
        indexes.move_alias(made.tenant, LIVE, made.index_id, expected=0, why=_built(made))
    return made


def _serves(index: Index, wanted: Index) -> bool:
    """Whether it is of this model, and follows all that is wanted already."""
    same_model = index.spaces.fingerprint == wanted.spaces.fingerprint
    return same_model and index.state != "retired" and set(wanted.targets) <= set(index.targets)


def _return_to(ports: Ports, same: list[Index]) -> None:
    """Where the settings had the last word on what is live, they have the next one too."""
    indexes = ports.catalogue.indexes
    ready = [index for index in same if index.state == "ready"]
    live = indexes.alias(same[0].tenant, LIVE)
    if not ready or live is None or any(index.index_id == live.index_id for index in same):
        return
    if live.moves and live.moves[0].why.ground == "built":
        index = ready[-1]
        indexes.move_alias(
            index.tenant, LIVE, index.index_id, expected=live.version, why=_built(index)
        )


def _left_by_people(ports: Ports, wanted: Index) -> bool:
    """Whether this model was live until somebody chose another, and its index was dropped then."""
    live = ports.catalogue.indexes.alias(wanted.tenant, LIVE)
    if live is None or not live.moves or live.moves[0].why.ground == "built":
        return False
    left = any(move.why.fingerprint == wanted.spaces.fingerprint for move in live.moves)
    if left:
        logger.warning(
            "the model %s of the settings was replaced by index %s; it stays so until somebody "
            "brings the catalogue to another model",
            *(wanted.model, live.index_id),
        )
    return left


def _built(index: Index) -> Why:
    return Why("built", fingerprint=index.spaces.fingerprint)


def build_index(ports: Ports, task: BuildIndex) -> Progress:
    """Goes on with rebuilding shards, building or dropping, as far as it gets without waiting."""
    index = ports.catalogue.indexes.get(task.index)
    if index is not None and index.state == "retired":
        index = _dropped(ports, index)
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
    alias = index.alias
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
            index.tenant, alias, index.index_id, expected=expected, why=_built(index)
        )
        if moved is None:
            return "incomplete"
    if not ports.catalogue.indexes.set_state(index.index_id, "ready", origins=("building",)):
        return "incomplete"
    finish(ports, index.tenant, build_job_id(index))
    return "ready"


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
    if names := _aliases_on(ports, index):
        raise Conflict(f"{index_id} is `{names[0]}`: move the alias to another index first.")
    ports.catalogue.indexes.set_state(index_id, "retired")
    _dropped(ports, index)


def _dropped(ports: Ports, index: Index) -> Index | None:
    """Drops what is retired; the index again where an alias came to it meanwhile."""
    if _aliases_on(ports, index):
        ports.catalogue.indexes.set_state(index.index_id, "ready", origins=("retired",))
        return replace(index, state="ready")
    finish(ports, index.tenant, build_job_id(index), "cancelled")
    job = job_of(ports, index.tenant, f"drop-{index.index_id}-{index.created}", "drop")
    names = sorted(index.target_names())
    progress: dict[str, Any] = {"targets": names}
    if ports.elastic is not None and "elasticsearch" in index.targets:
        progress["elasticsearch"] = ports.elastic.name(index)
    ports.catalogue.office.put_job(replace(job, progress=progress))
    ports.catalogue.indexes.drop(index.index_id)
    ports.catalogue.products.forget_targets(index.tenant, index.target_names())
    _drop_elsewhere(ports, progress)
    return None


def _aliases_on(ports: Ports, index: Index) -> list[str]:
    aliases = ports.catalogue.indexes.aliases(index.tenant)
    return [alias.name for alias in aliases if alias.index_id == index.index_id]


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
    for job in ports.catalogue.office.unfinished_jobs("drop"):
        ripe = job.created + 2 * ports.targets.cache_ms + SECOND_MS
        if job.tenant != tenant or ports.catalogue.now() < ripe:
            continue
        # What a drop could not do before it died is done here; an index made again keeps its own.
        index_ids = {str(name).partition("/")[0] for name in job.progress["targets"]}
        if not any(ports.catalogue.indexes.get(index_id) for index_id in index_ids):
            names = frozenset(map(str, job.progress["targets"]))
            ports.catalogue.products.forget_targets(tenant, names)
        if _drop_elsewhere(ports, job.progress):
            finish(ports, tenant, job.job_id)
