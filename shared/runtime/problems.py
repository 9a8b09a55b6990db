"""How errors look over HTTP: the one place that knows status codes (RFC 9457).

Pure: it needs no web framework, so every service that answers HTTP can use it.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared import errors
from shared.errors import Flaw, LookalikeError

MEDIA_TYPE: Final = "application/problem+json"
DOCUMENTATION: Final = "/docs/problems.md"
"""Problem types are names of headings there, not addresses to be fetched."""

RETRY_AFTER_SECONDS: Final = 2

_KINDS: Final[Mapping[type[LookalikeError], tuple[int, str]]] = {
    errors.Malformed: (400, "The request cannot be read"),
    errors.Undecodable: (422, "The picture cannot be decoded"),
    errors.TooLarge: (413, "Too large"),
    errors.WrongMediaType: (415, "Unsupported media type"),
    errors.Invalid: (422, "A value is wrong"),
    errors.Unauthorised: (401, "A valid key is needed"),
    errors.Forbidden: (403, "The key does not allow this"),
    errors.NotFound: (404, "There is no such thing"),
    errors.NotConfigured: (409, "Not configured here"),
    errors.Stale: (412, "Somebody changed it meanwhile"),
    errors.Conflict: (409, "Not in a state for this"),
    errors.PreconditionRequired: (428, "If-Match is missing"),
    errors.TooMany: (429, "Too many requests"),
    errors.Unavailable: (503, "Unavailable for the moment"),
    errors.DeadlineExceeded: (504, "Not done in the time given"),
    LookalikeError: (500, "Something broke here"),
}


def kind_of(error: LookalikeError) -> tuple[int, str]:
    """Status and title of the nearest class that has one."""
    return next(_KINDS[cls] for cls in type(error).__mro__ if cls in _KINDS)


def status_of(error: LookalikeError) -> int:
    return kind_of(error)[0]


def headers_of(error: LookalikeError) -> dict[str, str]:
    """What a client needs beside the body to do the right thing next."""
    status = status_of(error)
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="lookalike"'}
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in (429, 503) else {}


def problem(error: LookalikeError, *, instance: str, request_id: str) -> dict[str, Any]:
    """The body of an answer that is an error."""
    status, title = kind_of(error)
    return described(
        status,
        title,
        error.kind,
        error.detail,
        instance=instance,
        request_id=request_id,
        flaws=[{"pointer": f.pointer, "code": f.code, "detail": f.detail} for f in error.flaws],
    )


def described(
    status: int,
    title: str,
    code: str,
    detail: str,
    *,
    instance: str,
    request_id: str,
    flaws: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """A problem body from its parts, for what never was a `LookalikeError`."""
    return {
        "type": f"{DOCUMENTATION}#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "errors": flaws or [],
        "request_id": request_id,
    }


def error_of(body: Mapping[str, Any]) -> LookalikeError:
    """The error that a problem body was made of; for callers that are services themselves."""
    kind = (body["status"], body["title"])
    cls = next((cls for cls, known in _KINDS.items() if known == kind), LookalikeError)
    flaws = tuple(Flaw(f["pointer"], f["code"], f["detail"]) for f in body["errors"])
    return cls(body["detail"], code=body["code"], flaws=flaws)
