from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from services.gateway import bodies, uploads
from services.gateway.answers import answer
from services.gateway.keys import Admin
from services.gateway.openapi import takes_bytes
from services.gateway.schemas.uploads import UploadView
from shared.images import MEDIA_TYPES

router = APIRouter(tags=["uploads"])


@router.post(
    "/uploads",
    status_code=201,
    responses={201: {"model": UploadView}},
    openapi_extra=takes_bytes(*MEDIA_TYPES, "application/octet-stream"),
)
def post_upload(
    request: Request, caller: Admin, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Store a picture or an import file that later calls name by `upload_id`."""
    body = bodies.chunks(request, caller.ports.settings.max_upload_bytes)
    declared = bodies.media_type(request)
    return uploads.receive_once(caller, body, declared, idempotency_key)


@router.get("/uploads/{upload_id}", responses={200: {"model": UploadView}})
def get_upload(upload_id: str, caller: Admin) -> Response:
    """What is known of an upload."""
    return answer(uploads.view(uploads.find(caller, upload_id)))
