"""The words of tus 1.0.0 (tus.io/protocols/resumable-upload): what its headers say, on both sides."""

import json
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.gateway.answers import refusal
from shared.catalogue.office import Upload
from shared.errors import Flaw, Invalid, LookalikeError
from shared.runtime.problems import MEDIA_TYPE, described

VERSION: Final = "1.0.0"
BYTES: Final = "application/offset+octet-stream"
EXTENSIONS: Final = "creation,creation-defer-length,termination"
MAX_METADATA: Final = 4_000
_MAX_DIGITS: Final = 15


class Route(APIRoute):
    """A path that speaks tus: every answer names the version, and no other version is listened to."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def speaking(request: Request) -> Response:
            if request.method != "OPTIONS" and _is_foreign(request):
                response = _other_version(request)
            else:
                try:
                    response = await handler(request)
                except LookalikeError as error:
                    response = refusal(request, error)
            response.headers["Tus-Resumable"] = VERSION
            return response

        return speaking


def takes(*headers: str) -> dict[str, Any]:
    """Describes headers that a route reads itself."""
    named = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in headers]
    return {"parameters": named}


def is_spoken(request: Request) -> bool:
    return "tus-resumable" in request.headers


def abilities(max_bytes: int) -> Mapping[str, str]:
    return {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(max_bytes)}


def state(upload: Upload) -> Mapping[str, str]:
    """How far an upload is."""
    size = {"Upload-Defer-Length": "1"} if upload.size is None else {}
    length = {} if upload.size is None else {"Upload-Length": str(upload.size)}
    metadata = {"Upload-Metadata": upload.metadata} if upload.metadata else {}
    return {"Upload-Offset": str(upload.received), **size, **length, **metadata}


def offset(request: Request) -> int:
    """Where the bytes of this request begin."""
    found = _number(request, "upload-offset")
    if found is None:
        raise _wrong("upload-offset", "Say where the bytes begin: Upload-Offset, as HEAD tells it.")
    return found


def length(request: Request) -> int | None:
    """The size of the whole, where it is said."""
    return _number(request, "upload-length")


def promised(request: Request) -> int | None:
    """The size that a new upload will have; None where the sender will say it later."""
    size, deferred = length(request), request.headers.get("upload-defer-length")
    if deferred not in (None, "1"):
        raise _wrong("upload-defer-length", "Upload-Defer-Length is 1, or left out.")
    if (size is None) == (deferred is None):
        raise _wrong("upload-length", "Send one of Upload-Length and Upload-Defer-Length: 1.")
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise Invalid(
            "The request that makes a resumable upload has no body: send the bytes with PATCH.",
            code="body_too_early",
        )
    return size


def metadata(request: Request) -> str:
    """Kept for the client as it is."""
    said = request.headers.get("upload-metadata", "")
    if len(said) > MAX_METADATA or not (said.isascii() and said.isprintable()):
        raise _wrong("upload-metadata", f"Upload-Metadata has at most {MAX_METADATA} characters.")
    return said


def _is_foreign(request: Request) -> bool:
    return request.headers.get("tus-resumable", VERSION) != VERSION


def _other_version(request: Request) -> Response:
    body = described(
        HTTPStatus.PRECONDITION_FAILED,
        "Another version of tus",
        "tus_version",
        f"Resumable uploads speak tus {VERSION} here: send Tus-Resumable: {VERSION}.",
        instance=request.url.path,
        request_id=request.state.request_id,
    )
    status, headers = HTTPStatus.PRECONDITION_FAILED, {"Tus-Version": VERSION}
    return Response(json.dumps(body), status, headers=headers, media_type=MEDIA_TYPE)


def _number(request: Request, name: str) -> int | None:
    text = request.headers.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise _wrong(name, f"{name.title()} is a number of bytes, not {text[:50]!r}.")
    return int(text)


def _wrong(header: str, detail: str) -> Invalid:
    return Invalid(
        detail, code="bad_header", flaws=(Flaw(f"/header/{header}", "bad_header", detail),)
    )
