"""What can go wrong; the tree:

RequestFailed
├── Unreachable     nobody answered, however often it was asked
├── Unreadable      something answered that is no gateway of ours
└── Refused         the server answered with a problem
    ├── Invalid         400, 413, 415, 422, 428: the request is wrong
    ├── Unauthorised    401: no key, or a wrong one
    ├── Forbidden       403: the key does not allow this
    ├── NotFound        404
    ├── Conflict        409: not in a state for this
    ├── Stale           412: somebody changed it meanwhile
    ├── TooMany         429: slower, please
    └── Unavailable     502, 503, 504: the system is full or a part of it is down
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx


@dataclass(frozen=True, slots=True)
class Problem:
    """The body of an answer that is an error (RFC 9457)."""

    status: int
    title: str
    detail: str
    code: str
    type: str = "about:blank"
    instance: str = ""
    request_id: str = ""
    errors: tuple[Mapping[str, str], ...] = ()
    """What is wrong where: `pointer`, `code`, `detail` each."""


class RequestFailed(Exception):
    """Anything that this client raises for a request."""


class Unreachable(RequestFailed):
    """No answer came; whether the request arrived is not known."""


class Unreadable(RequestFailed):
    """The answer is none of this API: another server, or one too different."""


class Refused(RequestFailed):
    """The server said no; `problem` says what and where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


class Invalid(Refused): ...


class Unauthorised(Refused): ...


class Forbidden(Refused): ...


class NotFound(Refused): ...


class Conflict(Refused): ...


class Stale(Refused): ...


class TooMany(Refused): ...


class Unavailable(Refused): ...


_KINDS: Final[Mapping[int, type[Refused]]] = {
    **dict.fromkeys((400, 413, 415, 422, 428), Invalid),
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Stale,
    429: TooMany,
    **dict.fromkeys((502, 503, 504), Unavailable),
}


def refusal(response: httpx.Response) -> Refused:
    """The exception for an answer that is an error."""
    return _KINDS.get(response.status_code, Refused)(problem_of(response))


def problem_of(response: httpx.Response) -> Problem:
    """The problem body; made up from the status where a proxy answered with something else."""
    body = _object(response)
    texts = {name: str(body[name]) for name in _TEXTS if body.get(name) is not None}
    made_up = {
        "title": response.reason_phrase,
        "detail": f"The server answered {response.status_code} {response.reason_phrase}.",
        "code": f"http_{response.status_code}",
    }
    flaws = body.get("errors")
    return Problem(
        status=response.status_code,
        errors=tuple(flaws) if isinstance(flaws, list) else (),
        **(made_up | texts),
    )


_TEXTS: Final = ("title", "detail", "code", "type", "instance", "request_id")


def _object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
