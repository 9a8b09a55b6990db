"""What the house is and holds: backends, categories, totals."""

from collections.abc import Mapping
from typing import get_args

from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.queries import index_of
from services.gateway.schemas.house import BackendsView, BackendView, CategoryView, StatsView
from shared.indexes import Index, TargetKind, target
from shared.seams.searcher import BackendState
from shared.tasks import QueueName

Path = tuple[str, ...]


def backends(caller: Caller, name: str) -> BackendsView:
    """What is configured, well, and how far behind, for an index."""
    index = index_of(caller, name)
    states = caller.ports.searcher.backends(index.index_id)
    return BackendsView(
        index=index.index_id, backends=[_backend(caller, index, state) for state in states]
    )


def categories(caller: Caller) -> list[CategoryView]:
    """A tree; every node counts what is in it and under it."""
    return _children(caller.ports.catalogue.products.categories(caller.tenant), ())


def stats(caller: Caller) -> StatsView:
    catalogue, queue = caller.ports.catalogue, caller.ports.queue
    indexes = catalogue.indexes.all(caller.tenant)
    prints = sorted({index.spaces.fingerprint for index in indexes})
    targets = sorted(name for index in indexes for name in index.target_names())
    return StatsView(
        products=catalogue.products.count(caller.tenant),
        images=catalogue.images.count(caller.tenant),
        images_waiting={p: catalogue.images.unembedded(p, caller.tenant) for p in prints},
        pending={name: catalogue.products.count_pending(name)[0] for name in targets},
        queues={name: queue.waiting(name) for name in get_args(QueueName)},
    )


def _backend(caller: Caller, index: Index, state: BackendState) -> BackendView:
    kind: TargetKind = "elasticsearch" if state.name == "elasticsearch" else "segments"
    pending, since = 0, None
    if kind in index.targets:
        pending, since = caller.ports.catalogue.products.count_pending(target(index.index_id, kind))
    return BackendView(
        name=state.name,
        configured=state.configured,
        healthy=state.healthy,
        reason=state.reason,
        pending=pending,
        pending_since=None if since is None else stamp(since),
    )


def _children(counts: Mapping[Path, int], parent: Path) -> list[CategoryView]:
    depth = len(parent)
    below: dict[str, dict[Path, int]] = {}
    for path, count in counts.items():
        if len(path) > depth:
            below.setdefault(path[depth], {})[path] = count
    return [
        CategoryView(
            name=name,
            path=(*parent, name),
            products=sum(inside.values()),
            children=_children(inside, (*parent, name)),
        )
        for name, inside in sorted(below.items())
    ]
