from fastapi import APIRouter, Request, Response

from services.gateway.answers import answer
from services.gateway.health import check_ready
from services.gateway.ports import ports_of
from services.gateway.schemas.house import ReadyView

router = APIRouter(tags=["health"])


@router.get("/livez", responses={200: {"model": ReadyView}})
async def get_livez() -> Response:
    """This process answers."""
    return answer(ReadyView(status="alive"))


@router.get("/readyz", responses={200: {"model": ReadyView}})
def get_readyz(request: Request) -> Response:
    """Everything that writing and reading needs is there; else 503 names what is not."""
    check_ready(ports_of(request))
    return answer(ReadyView(status="ready"))
