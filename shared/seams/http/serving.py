"""What a search process and an embedder have in common as HTTP applications.

Handlers are plain functions in a bounded pool of threads; what does not fit in is turned away at
once, so that its caller can ask somebody else. Errors are problem bodies.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.errors import DeadlineExceeded, Invalid, LookalikeError, TooLarge, Unavailable
from shared.ids import new_id
from shared.runtime import logs
from shared.runtime.problems import MEDIA_TYPE, headers_of, problem, status_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a handler gets it; `until`, by the monotonic clock, is how long somebody waits."""

    body: bytes
    query: Mapping[str, str]
    until: float

    def left_ms(self, at_most: int) -> int:
        """The time left; raises when nobody waits any more."""
        left = int((self.until - time.monotonic()) * 1_000) if self.until else at_most
        if left < 1:
            raise DeadlineExceeded("The time was over before it was this request's turn.")
        return min(left, at_most)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path and the function that answers it, from a thread."""

    method: str
    path: str
    answer: Callable[[Asked], bytes]
    media_type: str = "application/json"
    max_bytes: int = 16 << 20


def application(
    endpoints: Sequence[Endpoint], ready: Callable[[], object], *, threads: int, waiting: int
) -> Starlette:
    """`ready` raises while the process cannot do its work; `waiting` may wait for a thread."""
    room = _Room(threads, waiting)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        room.close()

    async def live(_request: Request) -> Response:
        return Response(b'{"status":"alive"}', media_type="application/json")

    async def readiness(request: Request) -> Response:
        try:
            ready()
        except LookalikeError as error:
            return _problem(error, request, "")
        return Response(b'{"status":"ready"}', media_type="application/json")

    routes = [Route(one.path, _served(one, room), methods=[one.method]) for one in endpoints]
    health = [Route("/livez", live), Route("/readyz", readiness)]
    return Starlette(routes=[*routes, *health], lifespan=lifespan)


class _Room:
    """Threads, and places to wait for one."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "request")
        self._places = threads + waiting
        self._taken = 0

    async def run(self, work: Callable[[], bytes]) -> bytes:
        if self._taken >= self._places:
            raise Unavailable(
                f"{self._taken} requests are under way here; try again.", code="overloaded"
            )
        self._taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, copy_context().run, work)
        finally:
            self._taken -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _served(endpoint: Endpoint, room: _Room) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        request_id = request.headers.get("x-request-id") or new_id("req")
        with logs.context(request_id=request_id):
            try:
                until = _until(request)
                asked = Asked(await _body(request, endpoint), request.query_params, until)
                body = await room.run(lambda: endpoint.answer(asked))
            except LookalikeError as error:
                return _problem(error, request, request_id)
            except Exception:
                log.exception("%s %s broke", request.method, request.url.path)
                broken = LookalikeError(
                    "The fault is in the process that was asked; its log says more."
                )
                return _problem(broken, request, request_id)
        return Response(body, media_type=endpoint.media_type)

    return serve


def _until(request: Request) -> float:
    """Zero where nobody says how long they wait."""
    told = request.headers.get("x-deadline-ms")
    if told is None:
        return 0.0
    if not told.isdecimal():
        raise Invalid(f"X-Deadline-Ms is a number of milliseconds, not {told!r}.")
    return time.monotonic() + int(told) / 1_000


async def _body(request: Request, endpoint: Endpoint) -> bytes:
    """Counted as it comes, whatever Content-Length says."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > endpoint.max_bytes:
            raise TooLarge(f"{endpoint.path} takes at most {endpoint.max_bytes:,} bytes.")
    return bytes(body)


def _problem(error: LookalikeError, request: Request, request_id: str) -> Response:
    body = problem(error, instance=request.url.path, request_id=request_id)
    return Response(
        json.dumps(body), status_of(error), headers=headers_of(error), media_type=MEDIA_TYPE
    )
