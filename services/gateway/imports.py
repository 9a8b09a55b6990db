"""Imports: started, watched, paused, resumed, cancelled."""

import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any, Final

from services.gateway import sources
from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.schemas.jobs import ChunksView, CountersView, ImportBody, ImportView
from shared.blobs import keys
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import new_id
from shared.jobs import FINISHED, Import, JobState, Options, Tally
from shared.sources.categories import categories
from shared.sources.mapping import read_mapping
from shared.tasks import ImportChunk, PlanImport

_CHUNKS_A_RING: Final = 16
_ENDED: Final[tuple[JobState, ...]] = ("succeeded", "partially_succeeded", "failed")
_LATELY_MS: Final = 30_000
"""The pace is that of the last half minute, so that a pause or a slow start is not in it."""


def start(caller: Caller, body: ImportBody) -> ImportView:
    """The document first, then the doorbell: an import that is stored is carried out."""
    read_mapping(body.mapping)
    source = sources.find(caller, body.source, "/source", folder=body.format == "folder")
    import_id = new_id("imp")
    made = caller.ports.catalogue.imports.create(
        Import(
            import_id=import_id,
            tenant=caller.tenant,
            format=body.format,
            source=source.name,
            size=source.size,
            created=0,
            state="running",
            options=_options(caller, import_id, body),
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


def again(
    caller: Caller, import_id: str, offsets: Collection[int], first: Callable[[], object]
) -> str | None:
    """Puts failed chunks back to work, and those that hold these offsets; or says why not.

    `first` is done while nobody can be at them yet.
    """
    imports = caller.ports.catalogue.imports
    found = imports.get(import_id)
    if found is None or found.tenant != caller.tenant:
        return "The import is not there any more: import its source again."
    if found.state not in _ENDED:
        return f"The import is {found.state}: only one that has ended is tried again."
    if gone := _gone(caller, found):
        return gone
    imports.reopen(import_id, offsets)
    first()
    imports.set_state(import_id, "running", origins=_ENDED)
    ring(caller, import_id)
    return None


def _gone(caller: Caller, found: Import) -> str | None:
    """Why the source cannot be read again; what was brought in would count as failed then."""
    name, size = found.read_from
    try:
        with caller.ports.places.opened(caller.tenant, name) as (_, there):
            if there == size:
                return None
            detail = f"The source had {size:,} bytes and has {there:,}: it was changed."
    except (NotFound, Invalid) as error:
        detail = error.detail
    return f"{detail} Import it anew: what is unchanged costs nothing."


def ring(caller: Caller, import_id: str) -> None:
    """Wakes whoever plans, and some chunks; the reconciler tops the queue up."""
    queue = caller.ports.queue
    if queue.ring(PlanImport(import_id)):
        for chunk in caller.ports.catalogue.imports.waiting(import_id, _CHUNKS_A_RING):
            queue.ring(ImportChunk(import_id, chunk.number))


def view(caller: Caller, found: Import) -> ImportView:
    now = caller.ports.catalogue.now()
    tally = caller.ports.catalogue.imports.tally(found.import_id, now - _LATELY_MS)
    rate = _rate(found, tally, now)
    stopped = found.state == "cancelled"
    return ImportView(
        import_id=found.import_id,
        format=found.format,
        state=found.state,
        mode=found.options.mode,
        dry_run=found.options.dry_run,
        created_at=stamp(found.created),
        updated_at=stamp(found.updated),
        size=found.size,
        scanned=found.scanned,
        planned=found.planned,
        records=found.records,
        counters=CountersView(read=tally.counters.read, **asdict(tally.counters)),
        chunks=ChunksView(
            waiting=0 if stopped else tally.waiting,
            done=tally.done,
            failed=tally.failed,
            cancelled=tally.waiting if stopped else 0,
        ),
        records_per_second=None if rate is None else round(rate, 1),
        eta_seconds=_eta(found, tally.counters.read, rate),
        detail=found.detail,
        findings=_told(found.findings),
    )


def _options(caller: Caller, import_id: str, body: ImportBody) -> Options:
    named = None
    if body.categories is not None:
        table = categories(sources.text(caller, body.categories, "/categories"))
        named = keys.report(caller.tenant, import_id, "json")
        caller.ports.blobs.put(named, json.dumps(table).encode())
    return Options(
        mapping=body.mapping,
        categories=named,
        label=body.label,
        download=body.download,
        limit=body.limit,
        sample=body.sample,
        on_error=body.on_error,
        dry_run=body.dry_run,
        mode=body.mode,
        max_deleted=body.max_deleted,
    )


def _rate(found: Import, tally: Tally, now: int) -> float | None:
    """Records a second; None where nothing moves."""
    if found.state in FINISHED or not tally.lately:
        return None
    return tally.lately * 1_000 / max(min(now - found.created, _LATELY_MS), 1)


def _eta(found: Import, read: int, rate: float | None) -> float | None:
    """From the records known so far, stretched to the whole source by bytes."""
    if rate is None or not found.scanned:
        return None
    whole = found.records if found.planned else found.records * found.size / found.scanned
    if found.options.limit is not None:
        whole = min(whole, found.options.limit)
    return round(max(whole - read, 0) / rate, 1)


_TOLD: Final = ("deleted", "would_delete", "categories", "category_count", "oddities")


def _told(findings: Any) -> dict[str, Any]:
    """What callers are told of the findings: not where our blobs are."""
    told = {name: findings[name] for name in _TOLD if name in findings}
    if twins := findings.get("twins"):
        told["duplicates"] = {name: twins[name] for name in ("groups", "pictures", "left_out")}
    return told


def _moved(
    caller: Caller, import_id: str, origins: tuple[JobState, ...], state: JobState
) -> ImportView:
    found = find(caller, import_id)
    imports = caller.ports.catalogue.imports
    if found.state != state and not imports.set_state(import_id, state, origins=origins):
        now = find(caller, import_id).state
        raise Conflict(f"The import is {now}; only {' or '.join(origins)} can be {state}.")
    return view(caller, find(caller, import_id))
