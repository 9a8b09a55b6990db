"""What every answer has: a request id, security headers, and a problem body where code broke."""

import json
import logging
import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.ids import new_id
from shared.runtime.logs import context
from shared.runtime.problems import MEDIA_TYPE, described

log = logging.getLogger(__name__)

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Frame:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def framed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _complete(MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            with context(request_id=request_id):
                await self._app(scope, receive, framed)
        except Exception:
            log.exception("request %s broke: %s %s", request_id, scope["method"], scope["path"])
            if started:
                raise
            await _apologise(framed, scope["path"], request_id)


def _request_id(scope: Scope) -> str:
    offered = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"x-request-id"), "")
    return offered if _REQUEST_ID.fullmatch(offered) else new_id("req")


def _complete(headers: MutableHeaders, request_id: str) -> None:
    headers["x-request-id"] = request_id
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")


async def _apologise(send: Send, path: str, request_id: str) -> None:
    body = described(
        500,
        "Something broke here",
        "internal",
        "The fault is ours; give the request id when you report it.",
        instance=path,
        request_id=request_id,
    )
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
