"""Imports: started, watched, paused, resumed, cancelled, tried again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Final

from services.gateway import sources
from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.schemas.jobs import ChunksView, CountersView, ImportBody, ImportView
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.jobs import FINISHED, Chunk, Counters, Import, JobState
from shared.sources.categories import categories
from shared.tasks import ImportChunk, PlanImport

_CHUNKS_A_RING: Final = 16


def start(caller: Caller, body: ImportBody) -> ImportView:
    """The document first, then the doorbell: an import that is stored is carried out."""
    source = sources.find(caller, body.source, "/source")
    named = (
        {}
        if body.categories is None
        else categories(sources.text(caller, body.categories, "/categories"))
    )
    made = caller.ports.catalogue.imports.create(
        Import(
            import_id=new_id("imp"),
            tenant=caller.tenant,
            format=body.format,
            source=source.name,
            size=source.size,
            created=0,
            state="running",
            categories=named,
            limit=body.limit,
        )
    )
    caller.ports.queue.ring(PlanImport(made.import_id))
    return view(caller, made)


def find(caller: Caller, import_id: str) -> Import:
    found = caller.ports.catalogue.imports.get(import_id)
    if found is None or found.tenant != caller.tenant:
        raise NotFound(f"There is no import {import_id!r}.")
    return found


def pause(caller: Caller, import_id: str) -> ImportView:
    """Chunks at work are finished; no other is begun."""
    return _moved(caller, import_id, ("queued", "running"), "paused")


def cancel(caller: Caller, import_id: str) -> ImportView:
    """What was brought in stays."""
    return _moved(caller, import_id, ("queued", "running", "paused"), "cancelled")


def resume(caller: Caller, import_id: str) -> ImportView:
    moved = _moved(caller, import_id, ("paused",), "running")
    ring(caller, import_id)
    return moved


def ring(caller: Caller, import_id: str) -> None:
    """Wakes whoever plans, and some chunks; the reconciler tops the queue up."""
    queue = caller.ports.queue
    if queue.ring(PlanImport(import_id)):
        for chunk in caller.ports.catalogue.imports.waiting(import_id, _CHUNKS_A_RING):
            queue.ring(ImportChunk(import_id, chunk.number))


def view(caller: Caller, found: Import) -> ImportView:
    chunks = caller.ports.catalogue.imports.chunks(found.import_id)
    counters = total(chunks)
    states = Counter(chunk.state for chunk in chunks)
    records = sum(chunk.records for chunk in chunks)
    seconds = max((caller.ports.catalogue.now() - found.created) / 1000, 0.001)
    rate = counters.read / seconds if found.state not in FINISHED and counters.read else None
    return ImportView(
        import_id=found.import_id,
        format=found.format,
        state=found.state,
        created_at=stamp(found.created),
        size=found.size,
        scanned=found.scanned,
        planned=found.planned,
        records=records,
        counters=CountersView(read=counters.read, **asdict(counters)),
        chunks=ChunksView(
            waiting=states["waiting"],
            done=states["done"],
            failed=states["failed"],
            cancelled=states["cancelled"],
        ),
        records_per_second=None if rate is None else round(rate, 1),
        eta_seconds=_eta(found, records, counters.read, rate),
        detail=found.detail,
    )


def total(chunks: Sequence[Chunk]) -> Counters:
    """Counters are derived from chunks, so that they balance whatever ran twice."""
    return Counters(
        **{f.name: sum(getattr(c.counters, f.name) for c in chunks) for f in fields(Counters)}
    )


def _eta(found: Import, records: int, read: int, rate: float | None) -> float | None:
    """From the records known so far, stretched to the whole source by bytes."""
    if rate is None or not found.scanned:
        return None
    whole = records if found.planned else records * found.size / found.scanned
    if found.limit is not None:
        whole = min(whole, found.limit)
    return round(max(whole - read, 0) / rate, 1)


def _moved(
    caller: Caller, import_id: str, origins: tuple[JobState, ...], state: JobState
) -> ImportView:
    found = find(caller, import_id)
    if found.state == state:
        return view(caller, found)
    if found.state not in origins:
        raise Conflict(f"The import is {found.state}; only {' or '.join(origins)} can be {state}.")
    caller.ports.catalogue.imports.set_state(import_id, state)
    return view(caller, find(caller, import_id))
