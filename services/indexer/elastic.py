"""Pending products of a shard's buckets into Elasticsearch, whole, each for itself."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from services.indexer.commit import READ_AGE_MS
from services.indexer.lease import every, free
from services.indexer.ports import MINUTE_MS, SECOND_MS, Ports
from services.indexer.sync import Todo, in_turns, read_batch, whole_entry_of
from shared.ids import ulid
from shared.index.elasticsearch.documents import Write, slices, write_of
from shared.index.elasticsearch.port import Away, Cluster
from shared.indexes import Index
from shared.tasks import SyncElasticsearch

PAUSE_MS: Final = 15 * SECOND_MS
"""How long nobody asks an Elasticsearch that did not answer or took no writes."""
_TOLD_MS: Final = 10 * MINUTE_MS

_log = logging.getLogger(__name__)


def sync_elasticsearch(ports: Ports, task: SyncElasticsearch) -> int:
    """Like the sync of a shard; what Elasticsearch does not take stays pending. How many products."""
    index = ports.catalogue.indexes.get(task.index)
    if index is None or "elasticsearch" not in index.targets:
        return 0
    if ports.elastic is None:
        _log.warning("%s cannot follow: no Elasticsearch is configured here", index.index_id)
        return 0
    if resting(ports, index):
        return 0
    todo = Todo(index, "elasticsearch", task.shard)
    try:
        ports.elastic.ensure(index)
        return in_turns(ports, todo, task, partial(_sync_batch, ports.elastic))
    except Away as error:
        rest(ports, index, error)
        return 0


def resting(ports: Ports, index: Index) -> bool:
    """Whether Elasticsearch is left alone for a while: then nobody rings for it either."""
    return not free(ports, _pause(index))


def rest(ports: Ports, index: Index, error: Away) -> None:
    """Leaves it alone for a while; told once in ten minutes, whoever finds it so."""
    ports.catalogue.office.lease(_pause(index), ulid(), PAUSE_MS)
    if every(ports, f"told/{_pause(index)}", _TOLD_MS):
        told = "%s pauses, and goes on by itself once it can: %s"
        _log.warning(told, f"{index.index_id}/elasticsearch", error.detail)


def _pause(index: Index) -> str:
    return f"pause-elasticsearch/{index.index_id}"


def _sync_batch(cluster: Cluster, ports: Ports, todo: Todo) -> int:
    """Requests of a few megabytes, one refresh, then the marks; how many products are there."""
    ids, index = todo.pending(ports, ports.limits.batch), todo.index
    if not ids:
        return 0
    batch = read_batch(ports, index, ids, whole_entry_of)
    todo.give_up(ports, batch.broken)
    writes = [write_of(entry, index, batch.read_at) for entry in batch.entries]
    done, away = _written(ports, cluster, todo, writes, batch.read_at)
    if done:
        _confirm(ports, cluster, todo, done, batch.read_at)
    if away is not None:
        raise away
    return len(done)


def _written(
    ports: Ports, cluster: Cluster, todo: Todo, writes: Sequence[Write], read_at: int
) -> tuple[list[Write], Away | None]:
    """What is there, up to where Elasticsearch would take no more."""
    done: list[Write] = []
    for part in slices(writes):
        # rule: ten_minutes
        if ports.catalogue.now() - read_at > READ_AGE_MS:
            break
        try:
            outcome = cluster.write(todo.index, part)
        except Away as away:
            return done, away
        done += outcome.done
        todo.give_up(ports, outcome.broken)
        if outcome.away is not None:
            return done, Away(f"Elasticsearch takes no writes: {outcome.away}.")
    return done, None


def _confirm(
    ports: Ports, cluster: Cluster, todo: Todo, done: Sequence[Write], read_at: int
) -> None:
    """Marks what searches find from here on; what was written very late is looked at again.

    Elasticsearch forgets the version of a deletion after an hour, so a writer that froze for
    longer may have brought back what is gone.
    """
    cluster.refresh(todo.index)
    products, tenant = ports.catalogue.products, todo.index.tenant
    moved = products.mark(tenant, todo.target, [(one.product_id, one.revision) for one in done])
    if not moved or ports.catalogue.now() - read_at <= READ_AGE_MS:
        return
    # rule: mark_puts_back
    gone = {one for one in moved if not products.put_back(tenant, todo.target, one)}
    buried = [Write(w.product_id, w.revision + 1) for w in done if w.product_id in gone]
    if buried and (outcome := cluster.write(todo.index, buried)).away is not None:
        raise Away(f"Elasticsearch takes no writes: {outcome.away}.")
