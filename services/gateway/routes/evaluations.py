from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse

from services.gateway import bodies, evaluations
from services.gateway.answers import answer, page
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.evaluations import EvaluationBody, EvaluationView

router = APIRouter(tags=["evaluations"])


@router.post(
    "/evaluations",
    status_code=202,
    responses={202: {"model": EvaluationView}},
    openapi_extra=takes(EvaluationBody),
)
def post_evaluation(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Hold an exam of an index, against the live one or another; watch it as a job."""
    body = bodies.read_model(request, EvaluationBody)
    operation = "POST /v1/evaluations"
    return once(caller, operation, idempotency_key, print_of(body), lambda: _accepted(caller, body))


@router.get("/evaluations/{evaluation_id}", responses={200: {"model": EvaluationView}})
def get_evaluation(evaluation_id: str, caller: Admin) -> Response:
    """The verdict, why, and the figures behind it."""
    return answer(evaluations.view(evaluations.find(caller, evaluation_id)))


@router.get("/evaluations/{evaluation_id}/report", response_class=HTMLResponse)
def get_report(evaluation_id: str, caller: Admin) -> Response:
    """Figures and contact sheets in one page that needs no other file."""
    return page(evaluations.report(caller, evaluation_id))


def _accepted(caller: Admin, body: EvaluationBody) -> Response:
    view = evaluations.start(caller, body)
    return answer(view, 202, {"Location": f"/v1/jobs/{view.evaluation_id}"})
