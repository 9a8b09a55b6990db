from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.gateway import bodies, models
from services.gateway.answers import answer
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.jobs import JobView
from services.gateway.schemas.models import ModelBody, ModelsView, ModelView

router = APIRouter(tags=["models"])


@router.get("/models", responses={200: {"model": ModelsView}})
def get_models(caller: Admin) -> Response:
    """Models that are bundled, those that are registered, and any that indexes were made with."""
    return answer(ModelsView(models=models.everyone(caller)))


@router.get("/models/{model}", responses={200: {"model": ModelView}})
def get_model(model: str, caller: Admin) -> Response:
    """A bundled one by its name, a registered one by its id or NAME@VERSION."""
    return answer(models.view(caller, model))


@router.post(
    "/models",
    status_code=202,
    responses={202: {"model": JobView}},
    openapi_extra=takes(ModelBody),
)
def post_model(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Register a model: an uploaded tar of its folder, or a bundled one; watch it as a job.

    It is tried with its golden pictures first; the job's progress names its `model_id` at the end.
    """
    body = bodies.read_model(request, ModelBody)
    operation = "POST /v1/models"
    return once(caller, operation, idempotency_key, print_of(body), lambda: _accepted(caller, body))


@router.delete("/models/{model}", status_code=204)
def delete_model(model: str, caller: Admin) -> Response:
    """Give a registered model up; refused while an index has its vectors, and for a bundled one."""
    models.remove(caller, model)
    return Response(status_code=204)


def _accepted(caller: Admin, body: ModelBody) -> Response:
    view = models.register(caller, body)
    return answer(view, 202, {"Location": f"/v1/jobs/{view.job_id}"})
