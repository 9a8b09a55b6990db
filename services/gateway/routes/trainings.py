from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse

from services.gateway import jobs, trainings
from services.gateway.answers import answer, page
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.jobs import JobView
from services.gateway.schemas.trainings import AnyTraining, TrainingBody

router = APIRouter(tags=["models"])


@router.post(
    "/trainings",
    status_code=202,
    responses={202: {"model": JobView}},
    openapi_extra=takes(TrainingBody),
)
def post_training(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Make a model of the shop's own pictures; watch it as a job."""
    body = trainings.read(request)
    operation = "POST /v1/trainings"
    return once(caller, operation, idempotency_key, print_of(body), lambda: _accepted(caller, body))


@router.get("/trainings/{job_id}/report", response_class=HTMLResponse)
def get_report(job_id: str, caller: Admin) -> Response:
    """What a classifier took for what, in one page that needs no other file."""
    return page([trainings.report(caller, job_id)])


def _accepted(caller: Admin, body: AnyTraining) -> Response:
    view = jobs.view(trainings.start(caller, body))
    return answer(view, 202, {"Location": f"/v1/jobs/{view.job_id}"})
