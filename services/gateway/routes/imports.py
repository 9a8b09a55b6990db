from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from services.gateway import bodies, dead_letters, imports
from services.gateway.answers import answer
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.jobs import DeadLettersView, ImportBody, ImportView, ReplayView

router = APIRouter(tags=["imports"])


@router.post(
    "/imports",
    status_code=202,
    responses={202: {"model": ImportView}},
    openapi_extra=takes(ImportBody),
)
def post_import(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Bring in a whole catalogue; watch it as a job."""
    body = bodies.read_model(request, ImportBody)
    operation = "POST /v1/imports"
    return once(caller, operation, idempotency_key, print_of(body), lambda: _accepted(caller, body))


@router.get("/imports/{import_id}", responses={200: {"model": ImportView}})
def get_import(import_id: str, caller: Admin) -> Response:
    """Counters that balance, pace, and when it may be done."""
    return answer(imports.view(caller, imports.find(caller, import_id)))


@router.get("/imports/{import_id}/failures", responses={200: {"model": DeadLettersView}})
def get_failures(
    import_id: str,
    caller: Admin,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Response:
    """Records and pictures that were given up on, with the reason."""
    return answer(dead_letters.of_import(caller, import_id, cursor, limit))


@router.post("/imports/{import_id}:pause", responses={200: {"model": ImportView}})
def post_pause(import_id: str, caller: Admin) -> Response:
    """Begin no further chunk."""
    return answer(imports.pause(caller, import_id))


@router.post("/imports/{import_id}:resume", responses={200: {"model": ImportView}})
def post_resume(import_id: str, caller: Admin) -> Response:
    """Go on where it was paused."""
    return answer(imports.resume(caller, import_id))


@router.post("/imports/{import_id}:cancel", responses={200: {"model": ImportView}})
def post_cancel(import_id: str, caller: Admin) -> Response:
    """Stop for good; what was brought in stays."""
    return answer(imports.cancel(caller, import_id))


@router.post("/imports/{import_id}:retry_failed", responses={200: {"model": ReplayView}})
def post_retry(import_id: str, caller: Admin) -> Response:
    """Try again what failed."""
    return answer(dead_letters.retry_import(caller, import_id))


def _accepted(caller: Admin, body: ImportBody) -> Response:
    view = imports.start(caller, body)
    return answer(view, 202, {"Location": f"/v1/jobs/{view.import_id}"})
