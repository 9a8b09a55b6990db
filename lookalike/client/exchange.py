"""Conversations with the server without any I/O: generators that yield what is to be done.

A flow yields a `Call` and is sent its answer, or yields a `Pause` or `Work`. `persistent` puts
patience around a flow. The two transports only carry out the steps, so there is no logic twice.
"""

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, TypeVar

import httpx

from lookalike.client.faults import Unreachable, problem_of, refusal

Progress = Callable[[int, int], None]
"""Told how many bytes of how many were sent."""
Part = tuple[str, tuple[str | None, bytes, str]]
Parameter = str | int | float | bool

MAX_PAUSE_S: Final = 30.0
_FIRST_PAUSE_S: Final = 0.25
_BACKOFF_LIMIT_S: Final = 8.0
_BUSY: Final = (429, 503)


@dataclass(frozen=True, slots=True)
class Call:
    """One request; a `Path` as content is streamed from the start at every attempt.

    A `single` call is tried once, and whatever is answered is the flow's to judge: None when the
    connection broke. Answers of a status in `expected` are too.
    """

    method: str
    path: str
    params: Mapping[str, Parameter] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Path | None = None
    form: tuple[Part, ...] = ()
    progress: Progress | None = None
    single: bool = False
    expected: frozenset[int] = frozenset()

    @property
    def is_streamed(self) -> bool:
        """Whether somebody wants to see it go, or it is not to be held in memory."""
        return isinstance(self.content, Path) or self.progress is not None


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Something slow that needs no server, such as reading files; what it raises ends the flow."""

    do: Callable[[], object]


Step = Call | Pause | Work

Outcome = TypeVar("Outcome")
Flow = Generator[Step, httpx.Response | None, Outcome]
Heard = httpx.Response | httpx.TransportError | None
"""What comes of a step: an answer, none, or nothing for what is no call."""
Attempts = Generator[Step, Heard, Outcome]


def persistent(flow: Flow[Outcome], retries: int) -> Attempts[Outcome]:
    """The flow with every call repeated while that may help; its errors are raised here."""
    answer: httpx.Response | None = None
    while True:
        try:
            step = flow.send(answer)
        except StopIteration as end:
            result: Outcome = end.value
            return result
        if not isinstance(step, Call):
            yield step
            answer = None
        elif step.single:
            heard = yield step
            answer = heard if isinstance(heard, httpx.Response) else None
        else:
            answer = yield from _answered(step, retries)


def _answered(call: Call, retries: int) -> Attempts[httpx.Response]:
    lost = False
    for attempt in range(retries + 1):
        heard = yield call
        if isinstance(heard, httpx.Response):
            if heard.is_success or heard.status_code in call.expected:
                return heard
            if lost and _is_gone(call, heard):
                return heard
            if attempt == retries or not _may_pass(heard):
                raise refusal(heard)
        else:
            lost = True
            if attempt == retries:
                raise Unreachable(f"No answer to {call.method} {call.path}: {heard}.") from heard
        yield pause_after(attempt, heard)
    raise AssertionError("the last attempt returns or raises")


def _is_gone(call: Call, response: httpx.Response) -> bool:
    """The attempt whose answer was lost has done it."""
    return call.method == "DELETE" and response.status_code == 404


def _may_pass(response: httpx.Response) -> bool:
    if response.status_code == 409:  # an attempt whose answer was lost is still being worked on
        return problem_of(response).code == "still_running"
    return response.status_code in _BUSY


def pause_after(attempt: int, heard: Heard) -> Pause:
    """What the server asks for, else longer every time, and never in step with other clients."""
    if isinstance(heard, httpx.Response):
        asked = _retry_after(heard.headers.get("Retry-After", ""))
        if asked is not None:
            return Pause(min(max(asked, 0.0), MAX_PAUSE_S))
    longest = min(_FIRST_PAUSE_S * 2**attempt, _BACKOFF_LIMIT_S)
    return Pause(random.uniform(longest / 2, longest))  # noqa: S311 - no secret


def _retry_after(text: str) -> float | None:
    """Seconds or a date."""
    if text.isdecimal():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
