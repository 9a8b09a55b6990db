from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from services.gateway import batch, bodies, incoming, products, removal, shelves
from services.gateway.answers import answer
from services.gateway.conditions import etag, matches
from services.gateway.idempotency import once, print_of
from services.gateway.keys import Admin, Searching
from services.gateway.openapi import takes
from services.gateway.presence import presence
from services.gateway.products import Conditions
from services.gateway.schemas.batch import BatchBody, BatchView
from services.gateway.schemas.products import (
    CardsView,
    ImagesView,
    PatchBody,
    PresenceView,
    ProductBody,
    ProductView,
    WrittenView,
)
from services.gateway.schemas.removal import ReceiptView
from services.gateway.waiting import waited

router = APIRouter(tags=["products"])

IfMatch = Annotated[str | None, Header()]
Wait = Annotated[str | None, Query(description="`searchable`: answer once it is found")]
Within = Annotated[str, Query(description="How long to wait at most, such as `5s`")]


@router.get("/products", responses={200: {"model": CardsView}})
def get_products(
    caller: Searching,
    id: str | None = None,  # noqa: A002 - the parameter's name in the URL
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Response:
    """What the shop has, by id; with `id`, that one product or none."""
    return answer(shelves.one(caller, id) if id else shelves.page(caller, cursor, limit))


@router.put(
    "/products/{product_id}",
    responses={200: {"model": WrittenView}, 202: {"model": WrittenView}},
    openapi_extra=takes(ProductBody, form=True),
)
def put_product(
    product_id: str,
    request: Request,
    caller: Admin,
    *,
    if_match: IfMatch = None,
    if_none_match: IfMatch = None,
    wait: Wait = None,
    within: Within = "5s",
) -> Response:
    """Create or replace a product: JSON that names pictures, or multipart with files."""
    seconds = waited(wait, within)
    wanted = incoming.product(caller, product_id, request)
    conditions = Conditions(if_match, if_none_match)
    return _written(products.put(caller, wanted, conditions, within=seconds))


@router.get("/products/{product_id}", responses={200: {"model": ProductView}})
def get_product(
    product_id: str, caller: Admin, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The product as it stands in the catalogue."""
    product = products.get(caller, product_id)
    tag = etag(product.version)
    if matches(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return answer(products.view(caller, product), headers={"ETag": tag})


@router.patch(
    "/products/{product_id}",
    responses={200: {"model": WrittenView}, 202: {"model": WrittenView}},
    openapi_extra=takes(PatchBody, media_type="application/merge-patch+json"),
)
def patch_product(
    product_id: str,
    request: Request,
    caller: Admin,
    *,
    if_match: IfMatch = None,
    wait: Wait = None,
    within: Within = "5s",
) -> Response:
    """Change attributes and leave the pictures; nothing is embedded again."""
    seconds = waited(wait, within)
    changes = incoming.patch(request)
    patched = products.patch(caller, product_id, changes, if_match=if_match, within=seconds)
    return _written(patched)


@router.delete("/products/{product_id}", responses={200: {"model": ReceiptView}, 204: {}})
def delete_product(
    product_id: str, caller: Admin, if_match: IfMatch = None, *, purge: bool = False
) -> Response:
    """Take a product away; with `purge`, its bytes too, with a receipt."""
    gone = products.delete(caller, product_id, if_match)
    return answer(removal.purge(caller, gone)) if purge else Response(status_code=204)


@router.post(
    "/products:batch",
    responses={200: {"model": BatchView}, 202: {"model": BatchView}},
    openapi_extra=takes(BatchBody),
)
def post_batch(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Up to 500 upserts, patches and deletes; each item has its own status."""
    body = bodies.read_model(request, BatchBody, caller.ports.settings.max_json_bytes)
    operation, print_ = "POST /v1/products:batch", print_of(body)
    return once(caller, operation, idempotency_key, print_, lambda: _batch(caller, body, request))


@router.get("/products/{product_id}/images", responses={200: {"model": ImagesView}})
def get_images(product_id: str, caller: Admin) -> Response:
    """The product's pictures, in its order."""
    product = products.get(caller, product_id)
    return answer(ImagesView(images=products.picture_views(caller, product)))


@router.get("/products/{product_id}/presence", responses={200: {"model": PresenceView}})
def get_presence(
    product_id: str, caller: Admin, wait: Wait = None, within: Within = "5s"
) -> Response:
    """Where the product is: every stage, every backend, or the reason why it is not found."""
    checked = products.checked_id(product_id)
    seconds = waited(wait, within)
    return answer(presence(caller.ports, caller.tenant, checked, within=seconds))


def _written(view: WrittenView) -> Response:
    headers = {"ETag": etag(view.version), "Location": view.presence}
    return answer(view, products.status_of(view), headers)


def _batch(caller: Admin, body: BatchBody, request: Request) -> Response:
    view = batch.run(caller, body.items, request.state.request_id)
    return answer(view, 202 if any(item.status == 202 for item in view.items) else 200)
