from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.gateway import bodies, dead_letters, jobs
from services.gateway.answers import answer
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.jobs import (
    DeadLettersView,
    JobsView,
    JobView,
    ReplayBody,
    ReplayView,
)
from services.gateway.waiting import seconds_of

router = APIRouter(tags=["jobs"])
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/jobs", responses={200: {"model": JobsView}})
def get_jobs(caller: Admin, limit: Limit = 24) -> Response:
    """Everything long, the latest first."""
    return answer(JobsView(jobs=jobs.recent(caller, limit)))


@router.get("/jobs/{job_id}", responses={200: {"model": JobView}})
def get_job(job_id: str, caller: Admin, wait: str = "0s") -> Response:
    """One job; with `wait`, once it is finished or has got further."""
    return answer(jobs.get(caller, job_id, within=seconds_of(wait, "wait")))


@router.delete("/jobs/{job_id}", responses={200: {"model": JobView}})
def delete_job(job_id: str, caller: Admin) -> Response:
    """Cancel an import, a training or a re-embedding; the job itself is kept."""
    return answer(jobs.cancel(caller, job_id))


@router.get("/jobs/{job_id}/events", response_class=StreamingResponse)
def get_events(job_id: str, caller: Admin) -> Response:
    """Server-sent events until the job is finished."""
    jobs.get(caller, job_id)
    return StreamingResponse(jobs.events(caller, job_id), media_type="text/event-stream")


@router.get("/dead_letters", responses={200: {"model": DeadLettersView}})
def get_dead_letters(
    caller: Admin, cursor: str = "", import_id: str | None = None, limit: Limit = 24
) -> Response:
    """What was given up on, by key."""
    return answer(dead_letters.page(caller, import_id=import_id, after=cursor, limit=limit))


@router.post(
    "/dead_letters:replay",
    responses={200: {"model": ReplayView}},
    openapi_extra=takes(ReplayBody),
)
def post_replay(request: Request, caller: Admin) -> Response:
    """Put dead letters back to work."""
    return answer(dead_letters.replay(caller, bodies.read_model(request, ReplayBody)))
