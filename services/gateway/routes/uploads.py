from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Request, Response

from services.gateway import bodies, resumable, tus, uploads
from services.gateway.answers import answer
from services.gateway.keys import Admin
from services.gateway.openapi import takes_bytes
from services.gateway.ports import ports_of
from services.gateway.schemas.uploads import UploadView
from shared.errors import WrongMediaType
from shared.images import MEDIA_TYPES

router = APIRouter(tags=["uploads"], route_class=tus.Route)

_STATE: Final[Mapping[str, Any]] = {"description": "Tus-Resumable, Upload-Offset, Upload-Length"}
_ABILITIES: Final[Mapping[str, Any]] = {"description": "Tus-Version, Tus-Extension, Tus-Max-Size"}


@router.post(
    "/uploads",
    status_code=201,
    responses={201: {"model": UploadView}},
    openapi_extra=takes_bytes(*MEDIA_TYPES, "application/octet-stream")
    | tus.takes("Tus-Resumable", "Upload-Length", "Upload-Defer-Length", "Upload-Metadata"),
)
def post_upload(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Store a picture or an import file that later calls name by `upload_id`.

    With `Tus-Resumable: 1.0.0` and `Upload-Length` (or `Upload-Defer-Length: 1`) and without a body
    it makes a resumable upload (tus.io), whose bytes come by PATCH.
    """
    if tus.is_spoken(request):
        made = resumable.create(caller, tus.promised(request), tus.metadata(request))
        return uploads.created(made, tus.state(made))
    body = bodies.chunks(request, caller.ports.settings.max_upload_bytes)
    declared = bodies.media_type(request)
    return uploads.receive_once(caller, body, declared, idempotency_key)


@router.get("/uploads/{upload_id}", responses={200: {"model": UploadView}})
def get_upload(upload_id: str, caller: Admin) -> Response:
    """What is known of an upload."""
    return answer(uploads.view(uploads.find(caller, upload_id)))


@router.head("/uploads/{upload_id}", status_code=200, responses={200: dict(_STATE)})
def head_upload(upload_id: str, caller: Admin) -> Response:
    """How far a resumable upload is."""
    return Response(headers=tus.state(uploads.find(caller, upload_id)))


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    responses={204: dict(_STATE)},
    openapi_extra=takes_bytes(tus.BYTES)
    | tus.takes("Tus-Resumable", "Upload-Offset", "Upload-Length"),
)
def patch_upload(request: Request, upload_id: str, caller: Admin) -> Response:
    """Append bytes at `Upload-Offset`; what arrives before a connection breaks is kept."""
    if bodies.media_type(request) != tus.BYTES:
        raise WrongMediaType(f"The bytes of a resumable upload come as {tus.BYTES}.")
    upload = uploads.find(caller, upload_id)
    resumable.refuse_elsewhere(upload, tus.offset(request))
    size = tus.length(request)
    if size is not None:
        upload = resumable.declare(caller, upload, size)
    body = bodies.chunks(request, resumable.room(caller, upload))
    offset = resumable.append(caller, upload, body)
    return Response(status_code=204, headers={"Upload-Offset": str(offset)})


@router.delete("/uploads/{upload_id}", status_code=204)
def delete_upload(upload_id: str, caller: Admin) -> Response:
    """Give up an upload, complete or not; refused while an import reads it."""
    uploads.remove(caller, upload_id)
    return Response(status_code=204)


@router.post(
    "/uploads/{upload_id}",
    status_code=204,
    responses={204: dict(_STATE)},
    openapi_extra=takes_bytes(tus.BYTES, required=False)
    | tus.takes("Tus-Resumable", "Upload-Offset", "Upload-Length"),
)
def post_to_upload(
    request: Request,
    upload_id: str,
    caller: Admin,
    x_http_method_override: Annotated[Literal["PATCH", "DELETE"], Header()],
) -> Response:
    """PATCH or DELETE, whichever `X-HTTP-Method-Override` says, where a proxy forbids them."""
    if x_http_method_override == "PATCH":
        return patch_upload(request, upload_id, caller)
    return delete_upload(upload_id, caller)


@router.options("/uploads", status_code=204, responses={204: dict(_ABILITIES)})
@router.options("/uploads/{upload_id}", status_code=204, include_in_schema=False)
def options_uploads(request: Request) -> Response:
    """What of tus is spoken here; needs no key."""
    return Response(
        status_code=204, headers=tus.abilities(ports_of(request).settings.max_upload_bytes)
    )
