"""Everything long, in one list: imports, and what else is kept as a job."""

from collections.abc import AsyncIterator
from typing import Final

from anyio import sleep, to_thread

from services.gateway import imports, reembeddings, trainings
from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.schemas.jobs import JobView
from services.gateway.waiting import wait_for
from shared.catalogue.building import REEMBEDDING
from shared.errors import Conflict, NotFound
from shared.jobs import FINISHED, Import, Job
from shared.trainings import TRAINING

_EVENT_SECONDS: Final = 0.5
_MAX_EVENTS: Final = 7_200
_UNTOLD: Final = frozenset({"worker", "lease_until", "checkpoint"})
"""Of a job's progress: between those who work at it."""


def recent(caller: Caller, limit: int) -> list[JobView]:
    """The latest first."""
    catalogue = caller.ports.catalogue
    jobs = [view(job) for job in catalogue.office.jobs(caller.tenant, limit)]
    jobs += [_import(caller, one) for one in catalogue.imports.recent(caller.tenant, limit)]
    return sorted(jobs, key=lambda job: job.created_at, reverse=True)[:limit]


def get(caller: Caller, job_id: str, *, within: float = 0.0) -> JobView:
    """With `within`, as soon as the job is finished or has got further."""
    before = _look(caller, job_id)
    return wait_for(
        caller.ports,
        lambda: _look(caller, job_id),
        lambda job: job.state in FINISHED or job.progress != before.progress,
        within,
    )


def cancel(caller: Caller, job_id: str) -> JobView:
    """Stops what can be stopped; what was brought in stays, and nothing half-made is left."""
    if job_id.startswith("imp_"):
        imports.cancel(caller, job_id)
        return _look(caller, job_id)
    job = _find(caller, job_id)
    if job.kind == TRAINING:
        return view(trainings.cancel(caller, job))
    if job.kind == REEMBEDDING:
        return view(reembeddings.cancel(caller, job))
    raise Conflict(f"A job of kind {job.kind} cannot be cancelled: it ends by itself.")


async def events(caller: Caller, job_id: str) -> AsyncIterator[str]:
    """Server-sent events: one whenever something changed, the last when the job is finished."""
    told: JobView | None = None
    for _ in range(_MAX_EVENTS):
        job = await to_thread.run_sync(_look, caller, job_id)
        if told is None or _differs(job, told):
            yield f"event: {job.state}\ndata: {job.model_dump_json()}\n\n"
            told = job
        if job.state in FINISHED:
            return
        await sleep(_EVENT_SECONDS)


def _differs(job: JobView, told: JobView) -> bool:
    return (job.state, job.progress, job.detail) != (told.state, told.progress, told.detail)


def _look(caller: Caller, job_id: str) -> JobView:
    if job_id.startswith("imp_"):
        return _import(caller, imports.find(caller, job_id))
    return view(_find(caller, job_id))


def _find(caller: Caller, job_id: str) -> Job:
    job = caller.ports.catalogue.office.job(caller.tenant, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.")
    return job


def view(job: Job) -> JobView:
    return JobView(
        job_id=job.job_id,
        kind=job.kind,
        state=job.state,
        created_at=stamp(job.created),
        updated_at=stamp(job.updated),
        progress={name: told for name, told in job.progress.items() if name not in _UNTOLD},
        detail=job.detail,
    )


def _import(caller: Caller, found: Import) -> JobView:
    seen = imports.view(caller, found)
    return JobView(
        job_id=found.import_id,
        kind="import",
        state=found.state,
        created_at=seen.created_at,
        updated_at=seen.updated_at,
        progress={
            "records": seen.records,
            **seen.counters.model_dump(),
            "records_per_second": seen.records_per_second,
            "eta_seconds": seen.eta_seconds,
        },
        detail=found.detail,
    )
