"""Idempotency-Key: the same request again gets the same answer, and does nothing again."""

import hashlib
import json
from collections.abc import Callable
from typing import Final

from fastapi import Response
from pydantic import BaseModel

from services.gateway.keys import Caller
from shared.errors import Conflict, Flaw, Invalid

_KEPT_HEADERS: Final = ("location", "etag")
_REPLAYED: Final = "Idempotency-Replayed"
MAX_KEY: Final = 200


def print_of(body: BaseModel) -> str:
    """The same for the same body, however its JSON was written."""
    return hashlib.sha256(body.model_dump_json().encode()).hexdigest()


def once(
    caller: Caller,
    operation: str,
    key: str | None,
    body_sha256: str,
    make: Callable[[], Response],
    *,
    hide: str | None = None,
) -> Response:
    """Makes the answer, unless it was made under this key in the last 24 hours.

    The field `hide` of the answer is a secret: it is not kept, and null when the answer is repeated.
    """
    if key is None:
        return make()
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        detail = f"Idempotency-Key has 1 to {MAX_KEY} printable characters."
        raise Invalid(detail, flaws=(Flaw("/header/idempotency-key", "bad_key", detail),))
    office, name = caller.ports.catalogue.office, f"{operation} {key}"
    known = office.remember(caller.tenant, name, body_sha256)
    if known is None:
        return _first(caller, name, make, hide)
    if known.body_sha256 != body_sha256:
        raise Invalid("This Idempotency-Key came with another body before.", code="key_reused")
    if known.status is None or known.answer is None:
        raise Conflict("The first request with this key is still running.", code="still_running")
    return _again(known.status, known.answer)


def is_replay(response: Response) -> bool:
    """Whether the answer is one that was given before."""
    return _REPLAYED in response.headers


def _first(caller: Caller, name: str, make: Callable[[], Response], hide: str | None) -> Response:
    try:
        response = make()
    except BaseException:
        caller.ports.catalogue.office.forget(caller.tenant, name)
        raise
    kept = {h: response.headers[h] for h in _KEPT_HEADERS if h in response.headers}
    body = json.loads(bytes(response.body))
    if hide is not None:
        body[hide] = None
    answer = json.dumps({"headers": kept, "body": body}).encode()
    caller.ports.catalogue.office.answered(caller.tenant, name, response.status_code, answer)
    return response


def _again(status: int, answer: bytes) -> Response:
    kept = json.loads(answer)
    headers = {**kept["headers"], _REPLAYED: "true"}
    body = json.dumps(kept["body"])
    return Response(body, status, headers=headers, media_type="application/json")
