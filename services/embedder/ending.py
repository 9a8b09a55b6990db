"""The end of an import, when all of its chunks are done: what a full feed left out, the report, the state."""

from dataclasses import asdict
from typing import Any, Final

from services.embedder.ports import Ports
from services.embedder.replacing import remove_unseen, would_remove
from services.embedder.turn import Turn
from services.embedder.twins import find_twins
from shared.jobs import Import, JobState, Tally

_TOP_CATEGORIES: Final = 1_000


def finish_import(ports: Ports, import_id: str) -> None:
    """Called after every chunk, and rung by the reconciler; to do it twice changes nothing."""
    imports, turn = ports.catalogue.imports, Turn(ports, "end", import_id)
    job = imports.get(import_id)
    if job is None or job.state != "running" or not job.planned:
        return
    if imports.open(import_id) or _waits(ports, job) or not turn.hold():
        return
    try:
        tally = imports.tally(import_id)
        state, detail = _end(tally)
        findings = (
            _rehearsed(ports, job, tally)
            if job.options.dry_run
            else _reported(ports, job, tally, turn)
        )
        if job.options.mode == "replace" and not job.options.dry_run:
            removal = remove_unseen(ports, job, tally, turn.goes_on)
            findings |= {"deleted": removal.deleted, "would_delete": removal.wanted}
            if removal.refused:
                state, detail = "partially_succeeded", _both(detail, removal.refused)
        if findings:
            imports.note(import_id, findings)
        imports.set_state(import_id, state, detail, origins=("running",))
    finally:
        turn.release()


def stop_at_failure(ports: Ports, job: Import, why: str) -> None:
    """Where that was asked for. What failed can be tried again, and the import goes on from there."""
    if job.options.on_error == "stop":
        stop_import(ports, job, f"It was to stop at the first failure: {why}")


def stop_import(ports: Ports, job: Import, why: str) -> None:
    ports.catalogue.imports.set_state(job.import_id, "failed", why, origins=("running",))


def _waits(ports: Ports, job: Import) -> bool:
    """A full feed waits for older imports: what they bring in late would outlive it."""
    if job.options.mode != "replace" or job.options.dry_run:
        return False
    older = [
        imp.import_id
        for imp in ports.catalogue.imports.unfinished()
        if imp.tenant == job.tenant and imp.created < job.created
    ]
    if older and job.detail is None:
        detail = f"It waits for the older import {older[0]} to end: resume or cancel that one."
        ports.catalogue.imports.set_state(job.import_id, "running", detail, origins=("running",))
    return bool(older)


def _end(tally: Tally) -> tuple[JobState, str | None]:
    read, failed = tally.counters.read, tally.counters.failed
    if not failed:
        return "succeeded", None
    detail = f"{failed:,} of {read:,} records failed; the dead letters say why."
    return ("partially_succeeded" if failed < read else "failed"), detail


def _reported(ports: Ports, job: Import, tally: Tally, turn: Turn) -> dict[str, Any]:
    """Pictures that are others saved anew; none are looked for where no picture came."""
    return {"twins": asdict(find_twins(ports, job, turn.hold))} if tally.counters.embedded else {}


def _rehearsed(ports: Ports, job: Import, tally: Tally) -> dict[str, Any]:
    counted = ports.catalogue.imports.categories(job.import_id)
    largest = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    found: dict[str, Any] = {
        "categories": [list(pair) for pair in largest[:_TOP_CATEGORIES]],
        "category_count": len(counted),
    }
    if job.options.mode == "replace":
        found["would_delete"] = would_remove(ports, job, tally)
    return found


def _both(one: str | None, other: str) -> str:
    return f"{one} {other}" if one else other
