"""What both transports say of a connection and of a request."""

import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx

from lookalike.client.exchange import Call

SERVER: Final = "http://127.0.0.1:8080"
RETRIES: Final = 4
TIMEOUT_S: Final = 60.0
CHUNK_BYTES: Final = 256 * 1024


def base_url(server: str | None) -> httpx.URL:
    """What was said, else LOOKALIKE_URL, else this machine."""
    said = server or os.environ.get("LOOKALIKE_URL") or SERVER
    try:
        url = httpx.URL(said)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{said!r} is no address of a server, such as {SERVER}.")
    return url


def key_of(key: str | None) -> str | None:
    """What was said, else LOOKALIKE_KEY."""
    said = (key or os.environ.get("LOOKALIKE_KEY") or "").strip()
    if not (said.isascii() and said.isprintable()):
        raise ValueError("The key holds characters that no key has; was it copied well?")
    return said or None


def arguments(call: Call, key: str | None) -> Mapping[str, Any]:
    """For `httpx.Client.build_request`, without the content."""
    return {
        "method": call.method,
        "url": call.path,
        "params": dict(call.params) or None,
        "headers": {**call.headers, **_authorisation(call, key), **_length(call)},
        "files": list(call.form) or None,
    }


def _authorisation(call: Call, key: str | None) -> Mapping[str, str]:
    """Never for another server: picture URLs may point to a content delivery network."""
    if key is None or not call.path.startswith("/"):
        return {}
    return {"Authorization": f"Bearer {key}"}


def _length(call: Call) -> Mapping[str, str]:
    return {"Content-Length": str(length(call))} if call.is_streamed else {}


def whole(call: Call) -> bytes | None:
    """The content of a call that is not streamed."""
    return call.content if isinstance(call.content, bytes) else None


def length(call: Call) -> int:
    """How many bytes a streamed call will send."""
    content = call.content
    return content.stat().st_size if isinstance(content, Path) else len(content or b"")


def opened(call: Call) -> BinaryIO:
    """The content of a streamed call, from its beginning."""
    content = call.content
    return content.open("rb") if isinstance(content, Path) else BytesIO(content or b"")
