"""Answers and errors as HTTP responses."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared.errors import Flaw, Invalid, LookalikeError
from shared.runtime.problems import MEDIA_TYPE, described, headers_of, problem, status_of

_INLINE_ONLY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"


def answer(
    body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(body.model_dump_json(), status, headers=headers, media_type="application/json")


def page(pieces: Iterable[bytes]) -> Response:
    """HTML that somebody's data went into: it may do nothing but be looked at."""
    return StreamingResponse(
        iter(pieces),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _INLINE_ONLY},
    )


def stamp(milliseconds: int) -> datetime:
    """The store's milliseconds as a moment in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def complain(app: FastAPI) -> None:
    """Makes every error of the application a problem body."""
    app.exception_handler(LookalikeError)(_lookalike)
    app.exception_handler(RequestValidationError)(_parameters)
    app.exception_handler(HTTPException)(_http)


def pointer_of(location: tuple[int | str, ...]) -> str:
    """A place in a JSON body as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def refusal(request: Request, error: LookalikeError) -> Response:
    """An error as a problem body."""
    body = problem(error, instance=request.url.path, request_id=request.state.request_id)
    return Response(
        json.dumps(body), status_of(error), headers=headers_of(error), media_type=MEDIA_TYPE
    )


async def _lookalike(request: Request, error: Exception) -> Response:
    assert isinstance(error, LookalikeError)  # noqa: S101 - registered for this class alone
    return refusal(request, error)


async def _parameters(request: Request, error: Exception) -> Response:
    """A query or path parameter is wrong; bodies are checked in `bodies`."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    flaws = tuple(
        Flaw(pointer_of(flaw["loc"]), flaw["type"], flaw["msg"]) for flaw in error.errors()
    )
    named = ", ".join(str(flaw["loc"][-1]) for flaw in error.errors())
    return refusal(request, Invalid(f"A parameter is wrong: {named}.", flaws=flaws))


async def _http(request: Request, error: Exception) -> Response:
    """What the router says by itself: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    status = HTTPStatus(error.status_code)
    body = described(
        status,
        status.phrase,
        "no_such_path" if status == HTTPStatus.NOT_FOUND else status.name.lower(),
        f"{request.method} {request.url.path}: {status.description or status.phrase}.",
        instance=request.url.path,
        request_id=request.state.request_id,
    )
    return Response(json.dumps(body), status, headers=error.headers, media_type=MEDIA_TYPE)
