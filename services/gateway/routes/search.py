from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response

from services.gateway import bodies, incoming_search, search
from services.gateway.answers import answer
from services.gateway.conditions import matches
from services.gateway.keys import Searching
from services.gateway.openapi import takes, takes_bytes
from services.gateway.schemas.search import SearchBody, SearchParameters, SearchView
from shared.images import MEDIA_TYPES

router = APIRouter(tags=["search"])


@router.post("/search", responses={200: {"model": SearchView}}, openapi_extra=takes(SearchBody))
def post_search(request: Request, caller: Searching) -> Response:
    """Search by picture, products, vector, or a sum of them."""
    body = bodies.read_model(request, SearchBody, caller.ports.settings.max_json_bytes)
    return answer(search.search(caller, body.query, body))


@router.post(
    "/search/image",
    responses={200: {"model": SearchView}},
    openapi_extra=takes_bytes(*MEDIA_TYPES, "multipart/form-data"),
)
def post_search_image(
    request: Request, caller: Searching, parameters: Annotated[SearchParameters, Query()]
) -> Response:
    """Search by a picture that is the body."""
    options, crop = parameters.options(), parameters.crop_body()
    data = incoming_search.picture(request)
    return answer(search.search_picture(caller, data, crop, options))


@router.get("/products/{product_id}/similar", responses={200: {"model": SearchView}})
def get_similar(
    product_id: Annotated[str, Path()],
    caller: Searching,
    parameters: Annotated[SearchParameters, Query()],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Products that look like this one; a cache may keep it, if it asks each time."""
    view = search.similar(caller, product_id, parameters.options())
    headers = {"ETag": search.etag_of(view), "Cache-Control": "no-cache", "Vary": "Authorization"}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return answer(view, headers=headers)
