from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.gateway import duplicates
from services.gateway.answers import answer
from services.gateway.keys import Admin
from services.gateway.schemas.duplicates import DuplicatesView

router = APIRouter(tags=["imports"])


@router.get("/imports/{import_id}/duplicates", responses={200: {"model": DuplicatesView}})
def get_duplicates(
    import_id: str,
    caller: Admin,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Response:
    """Pictures that are one photo, re-encoded, resized or barely cropped; nothing was merged."""
    return answer(duplicates.of_import(caller, import_id, cursor, limit))
