"""The gateway as an ASGI application over whatever ports it is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from services.gateway import openapi
from services.gateway.answers import complain
from services.gateway.frame import Frame
from services.gateway.ports import Ports
from services.gateway.routes import (
    aliases,
    duplicates,
    evaluations,
    health,
    house,
    images,
    imports,
    indexes,
    jobs,
    keys,
    models,
    page,
    products,
    reembeddings,
    search,
    trainings,
    uploads,
)

_V1 = (
    products,
    uploads,
    imports,
    duplicates,
    jobs,
    search,
    images,
    house,
    keys,
    indexes,
    aliases,
    reembeddings,
    evaluations,
    trainings,
    models,
)


def create_app(ports: Ports) -> FastAPI:
    app = _bare()
    app.state.ports = ports
    files = StaticFiles(directory=ports.settings.page_folder, check_dir=False)
    app.mount("/page", files)
    return app


def description() -> dict[str, Any]:
    """The API's description, which needs no ports."""
    return openapi.describe(_bare())


def _bare() -> FastAPI:
    app = FastAPI(
        title="Lookalike",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.include_router(_v1())
    app.include_router(health.router)
    app.include_router(page.router)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign] # FastAPI's own way
    complain(app)
    app.add_middleware(Frame)
    return app


def _v1() -> APIRouter:
    router = APIRouter(prefix="/v1")
    for module in _V1:
        router.include_router(module.router)
    return router


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    ports: Ports = app.state.ports
    to_thread.current_default_thread_limiter().total_tokens = ports.settings.threads
    yield
