from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.gateway import bodies, house_keys
from services.gateway.answers import answer
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin, revoke
from services.gateway.openapi import takes
from services.gateway.schemas.house import KeyBody, KeysView, KeyView

router = APIRouter(tags=["keys"])


@router.post(
    "/keys",
    status_code=201,
    responses={201: {"model": KeyView}},
    openapi_extra=takes(KeyBody),
)
def post_key(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """A new key; the answer is the only place where it is ever to be seen."""
    body = bodies.read_model(request, KeyBody)
    return once(
        caller,
        "POST /v1/keys",
        idempotency_key,
        print_of(body),
        lambda: answer(house_keys.make(caller, body), 201),
        hide="key",
    )


@router.get("/keys", responses={200: {"model": KeysView}})
def get_keys(caller: Admin) -> Response:
    """All keys, without the keys themselves."""
    return answer(KeysView(keys=house_keys.everyone(caller)))


@router.delete("/keys/{key_id}", status_code=204)
def delete_key(key_id: str, caller: Admin) -> Response:
    """Revoke a key, at once and for good."""
    revoke(caller.ports.catalogue, caller.tenant, key_id)
    return Response(status_code=204)
