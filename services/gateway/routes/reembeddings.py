from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.gateway import bodies, jobs, reembeddings
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
    """Bring the catalogue to another model, in an index beside the live one; watch it as a job.

    Cancelling the job drops the index.
    """
    body = bodies.read_model(request, ReembeddingBody)
    operation = "POST /v1/reembeddings"
    return once(caller, operation, idempotency_key, print_of(body), lambda: _begun(caller, body))


def _begun(caller: Admin, body: ReembeddingBody) -> Response:
    job = reembeddings.start(caller, body)
    return answer(jobs.view(job), 202, {"Location": f"/v1/jobs/{job.job_id}"})
