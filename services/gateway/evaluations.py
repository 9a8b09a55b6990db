"""Exams of one index against another: asked for, looked at, and read as a page."""

from collections.abc import Iterator
from typing import Final

from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.queries import index_of
from services.gateway.schemas.evaluations import EvaluationBody, EvaluationView
from shared.errors import Conflict, Flaw, NotFound
from shared.evaluations import EVALUATION, asked
from shared.ids import new_id
from shared.indexes import Index
from shared.jobs import Job
from shared.tasks import Evaluate

_READ_BYTES: Final = 1 << 18


def start(caller: Caller, body: EvaluationBody) -> EvaluationView:
    """What an alias stands for is settled here; one index against itself is taken alone."""
    index = _whole(caller, body.index, "/index")
    other = None if body.against is None else _whole(caller, body.against, "/against")
    against = None if other is None or other == index else other.index_id
    now = caller.ports.catalogue.now()
    job = asked(new_id("job"), caller.tenant, index.index_id, against, now)
    caller.ports.catalogue.office.put_job(job)
    caller.ports.queue.ring(Evaluate(caller.tenant, job.job_id))
    return view(job)


def find(caller: Caller, evaluation_id: str) -> Job:
    job = caller.ports.catalogue.office.job(caller.tenant, evaluation_id)
    if job is None or job.kind != EVALUATION:
        raise NotFound(f"There is no evaluation {evaluation_id!r}.", code="no_such_evaluation")
    return job


def view(job: Job) -> EvaluationView:
    told = job.progress
    report = f"/v1/evaluations/{job.job_id}/report"
    return EvaluationView(
        evaluation_id=job.job_id,
        index=told["index"],
        against=told.get("against"),
        state=job.state,
        created_at=stamp(job.created),
        updated_at=stamp(job.updated),
        passed=told.get("passed"),
        reasons=told.get("reasons", []),
        notes=told.get("notes", []),
        figures=told.get("figures", {}),
        report_url=report if told.get("report") else None,
        detail=job.detail,
    )


def report(caller: Caller, evaluation_id: str) -> Iterator[bytes]:
    """The page piece by piece; what is wrong is told before the first."""
    blob = find(caller, evaluation_id).progress.get("report")
    if blob is None:
        raise NotFound(
            f"The evaluation {evaluation_id!r} has no report yet: it is written at its end.",
            code="no_report",
        )
    size = caller.ports.blobs.size(blob)
    return (
        caller.ports.blobs.read(blob, offset, min(_READ_BYTES, size - offset))
        for offset in range(0, size, _READ_BYTES)
    )


def _whole(caller: Caller, name: str, pointer: str) -> Index:
    index = index_of(caller, name)
    if index.state == "ready":
        return index
    detail = f"Index {index.index_id} is {_STATES[index.state]}: an exam is of a whole one."
    raise Conflict(
        detail, code="index_not_ready", flaws=(Flaw(pointer, "index_not_ready", detail),)
    )


_STATES: Final = {"building": "still being built", "retired": "being dropped"}
