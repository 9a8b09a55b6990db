from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.gateway import aliases, bodies
from services.gateway.answers import answer
from services.gateway.conditions import etag
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin
from services.gateway.openapi import takes
from services.gateway.schemas.indexes import AliasBody, AliasesView, AliasView, RollbackBody

router = APIRouter(tags=["indexes"])

IfMatch = Annotated[str | None, Header()]


@router.get("/aliases", responses={200: {"model": AliasesView}})
def get_aliases(caller: Admin) -> Response:
    """All aliases, by name."""
    return answer(AliasesView(aliases=aliases.everyone(caller)))


@router.get("/aliases/{name}", responses={200: {"model": AliasView}})
def get_alias(name: str, caller: Admin) -> Response:
    """Which index an alias is on, and who moved it there."""
    return _told(aliases.get(caller, name))


@router.put(
    "/aliases/{name}", responses={200: {"model": AliasView}}, openapi_extra=takes(AliasBody)
)
def put_alias(name: str, request: Request, caller: Admin, if_match: IfMatch = None) -> Response:
    """Move an alias; `live` moves to another model only after an exam, or by force with a reason."""
    body = bodies.read_model(request, AliasBody)
    return _told(aliases.put(caller, name, body, if_match))


@router.post(
    "/aliases/{name}:rollback",
    responses={200: {"model": AliasView}},
    openapi_extra=takes(RollbackBody),
)
def post_rollback(
    name: str,
    request: Request,
    caller: Admin,
    if_match: IfMatch = None,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Back to the index before, at once and without exam."""
    data = bodies.read(request, bodies.MAX_JSON_PART)
    body = bodies.checked(bodies.parse_json(data), RollbackBody) if data else RollbackBody()
    operation = f"POST /v1/aliases/{name}:rollback"
    return once(
        caller,
        operation,
        idempotency_key,
        print_of(body),
        lambda: _told(aliases.rollback(caller, name, body, if_match)),
    )


def _told(view: AliasView) -> Response:
    return answer(view, headers={"ETag": etag(view.version)})
