from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.gateway import bodies, reembeddings
from services.gateway.answers import answer
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.indexes import ReembeddingBody
from services.gateway.schemas.jobs import JobView

router = APIRouter(tags=["indexes"])


@router.post(
    "/reembeddings",
    status_code=202,
    responses={202: {"model": JobView}},
    openapi_extra=takes(ReembeddingBody),
)
def post_reembedding(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Bring the catalogue to another model, in an index beside the live one; watch it as a job."""
    body = bodies.read_model(request, ReembeddingBody)
    operation = "POST /v1/reembeddings"
    return once(caller, operation, idempotency_key, print_of(body), lambda: _begun(caller, body))


@router.post("/reembeddings/{job_id}:cancel", responses={200: {"model": JobView}})
def post_cancel(job_id: str, caller: Admin) -> Response:
    """Stop, and drop the index that was being built."""
    return answer(reembeddings.cancel(caller, job_id))


def _begun(caller: Admin, body: ReembeddingBody) -> Response:
    view = reembeddings.start(caller, body)
    return answer(view, 202, {"Location": f"/v1/jobs/{view.job_id}"})
