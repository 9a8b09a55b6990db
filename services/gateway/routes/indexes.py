from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.gateway import bodies, indexes
from services.gateway.answers import answer
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.indexes import IndexBody, IndexesView, IndexView

router = APIRouter(tags=["indexes"])


@router.get("/indexes", responses={200: {"model": IndexesView}})
def get_indexes(caller: Admin) -> Response:
    """All indexes, in the order in which they were made."""
    return answer(IndexesView(indexes=indexes.everyone(caller)))


@router.get("/indexes/{index_id}", responses={200: {"model": IndexView}})
def get_index(index_id: str, caller: Admin) -> Response:
    """One index: its model, its size, and how far it is behind the catalogue."""
    return answer(indexes.view(caller, indexes.find(caller, index_id)))


@router.post(
    "/indexes",
    status_code=202,
    responses={202: {"model": IndexView}},
    openapi_extra=takes(IndexBody),
)
def post_index(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Build an index beside the live one: another shard count, other fields, targets or model."""
    body = bodies.read_model(request, IndexBody)
    operation = "POST /v1/indexes"
    return once(caller, operation, idempotency_key, print_of(body), lambda: _begun(caller, body))


@router.delete("/indexes/{index_id}", status_code=202)
def delete_index(index_id: str, caller: Admin) -> Response:
    """Drop an index that no alias is on; it is gone as soon as the indexer hears of it."""
    indexes.drop(caller, index_id)
    return Response(status_code=202)


def _begun(caller: Admin, body: IndexBody) -> Response:
    view = indexes.create(caller, body)
    return answer(view, 202, {"Location": f"/v1/jobs/{view.job_id}"})
