from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials

from services.gateway import images
from services.gateway.conditions import matches
from services.gateway.keys import any_key, bearer
from services.gateway.ports import ports_of
from services.gateway.signing import Size

router = APIRouter(tags=["images"])


def _tenant(
    sha256: str,
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    size: Size = "full",
    *,
    tenant: str = "",
    expires: int = 0,
    signature: str = "",
) -> str:
    """Whose picture: by the URL's signature, or by a key."""
    if signature:
        ports = ports_of(request)
        return images.check_signed(
            ports, tenant, sha256, size, expires=expires, signature=signature
        )
    return any_key(request, credentials).tenant


@router.get(
    "/images/{sha256}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}}}},
)
def get_image(
    sha256: str,
    request: Request,
    owner: Annotated[str, Depends(_tenant)],
    size: Annotated[Size, Query()] = "full",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A picture's bytes; they never change, so they may be kept."""
    headers = {
        "ETag": f'"{sha256}-{size}"',
        "Cache-Control": "public, max-age=86400, immutable",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    found = images.read(ports_of(request), owner, sha256, size)
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(found.data, headers=headers, media_type=found.media_type)
