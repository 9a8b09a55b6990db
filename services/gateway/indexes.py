"""Indexes beside each other: seen, begun and given up. None of this moves an alias."""

from collections.abc import Sequence
from dataclasses import replace

from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.named_models import Model, model_of
from services.gateway.queries import index_of
from services.gateway.schemas.indexes import BuildView, IndexBody, IndexView
from shared.catalogue.building import begin
from shared.errors import Conflict, NotConfigured, NotFound
from shared.ids import new_id
from shared.index.damage import DamagedSegment
from shared.index.manifest import Manifest
from shared.indexes import LIVE, Alias, Index, Pointer, TargetKind, build_job_id, target
from shared.tasks import BuildIndex


def everyone(caller: Caller) -> list[IndexView]:
    """In the order in which they were made."""
    return [view(caller, index) for index in caller.ports.catalogue.indexes.all(caller.tenant)]


def find(caller: Caller, index_id: str) -> Index:
    """By its id alone: what is done to an index is not to be done to whatever an alias is on."""
    index = caller.ports.catalogue.indexes.get(index_id)
    if index is None or index.tenant != caller.tenant:
        raise NotFound(f"There is no index {index_id!r} here.", code="no_such_index")
    return index


def create(caller: Caller, body: IndexBody) -> IndexView:
    """Beside the others; every write is in both from now on, and searches may ask it by its id."""
    live = index_of(caller, LIVE)
    model = Model(live.model, live.spaces) if body.model is None else model_of(caller, body.model)
    drawn = draw(caller, live, model, body.shards, body.targets)
    if body.declared is not None:
        drawn = replace(drawn, declared=tuple(dict.fromkeys(body.declared)))
    return view(caller, begin(caller.ports.catalogue, caller.ports.queue, drawn))


def draw(
    caller: Caller,
    live: Index,
    model: Model,
    shards: int | None,
    targets: Sequence[TargetKind] | None,
) -> Index:
    """An index of this model, not made yet; what is not said is as the live one has it."""
    wanted = live.targets if targets is None else tuple(dict.fromkeys(targets))
    _check_targets(caller, live, wanted)
    return replace(
        live,
        index_id=new_id("idx"),
        model=model.name,
        spaces=model.spaces,
        shards=live.shards if shards is None else shards,
        targets=wanted,
        state="building",
        alias=None,
    )


def drop(caller: Caller, index_id: str) -> None:
    """Given up; refused while an alias is on it. The indexer does it, as soon as it hears of it."""
    index = find(caller, index_id)
    names = [alias.name for alias in aliases_on(caller, index)]
    if names:
        raise Conflict(
            f"{index_id} is `{names[0]}`: move the alias to another index first.", code="in_use"
        )
    caller.ports.catalogue.indexes.set_state(index_id, "retired")
    caller.ports.queue.ring(BuildIndex(index_id))


def aliases_on(caller: Caller, index: Index) -> list[Alias]:
    every = caller.ports.catalogue.indexes.aliases(caller.tenant)
    return [alias for alias in every if alias.index_id == index.index_id]


def view(caller: Caller, index: Index) -> IndexView:
    catalogue = caller.ports.catalogue
    shards = range(index.shards)
    pointers = [catalogue.indexes.pointer(index.index_id, shard) for shard in shards]
    return IndexView(
        index_id=index.index_id,
        model=index.model,
        fingerprint=index.spaces.fingerprint,
        spaces={space.name: space.dim for space in index.spaces.spaces},
        shards=index.shards,
        targets=index.targets,
        declared=index.declared,
        state=index.state,
        aliases=[alias.name for alias in aliases_on(caller, index)],
        takes_over=index.alias if index.state == "building" else None,
        created_at=stamp(index.created),
        generation=min(pointer.generation for pointer in pointers),
        size=sum(_size(caller, pointer) for pointer in pointers),
        build=_build(caller, index),
        job_id=build_job_id(index),
    )


def _build(caller: Caller, index: Index) -> BuildView:
    catalogue = caller.ports.catalogue
    pending: dict[TargetKind, int] = {
        kind: catalogue.products.count_pending(target(index.index_id, kind))[0]
        for kind in index.targets
    }
    return BuildView(
        products=catalogue.products.count(caller.tenant),
        pending=pending,
        images=catalogue.images.count(caller.tenant),
        images_unembedded=catalogue.images.unembedded(index.spaces.fingerprint, caller.tenant),
    )


def _size(caller: Caller, pointer: Pointer) -> int:
    """Bytes that a shard's segments take; none where its manifest was swept, or cannot be read."""
    if pointer.manifest is None:
        return 0
    try:
        manifest = Manifest.from_json(caller.ports.blobs.read(pointer.manifest))
    except (NotFound, DamagedSegment):
        return 0
    return sum(file.size for segment in manifest.segments for file in segment.files)


def _check_targets(caller: Caller, live: Index, targets: Sequence[TargetKind]) -> None:
    if "elasticsearch" not in targets:
        return
    for state in caller.ports.searcher.backends(live.index_id):
        if state.name == "elasticsearch" and not state.configured:
            raise NotConfigured(state.reason or "Elasticsearch is not configured.")
