from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from services.gateway import page
from services.gateway.ports import ports_of

router = APIRouter(include_in_schema=False)


@router.get("/")
def get_page(request: Request) -> Response:
    """The shop window."""
    rendered = page.render(ports_of(request))
    return HTMLResponse(rendered.html, headers={"Content-Security-Policy": rendered.policy})
