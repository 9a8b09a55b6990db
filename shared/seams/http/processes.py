"""The processes of a service as their callers know them: addresses, idle connections, recent failures."""

import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

from shared.errors import Invalid
from shared.runtime import logs
from shared.seams.http.exchange import Call, Exchange

REST_S: Final = 1.0
"""For so long a process that failed is asked last; after that one request tries it."""
IDLE_CONNECTIONS: Final = 32
_SPARE: Final = 0.9
"""Of the time left a process gets so much; the rest is for the way back."""

log = logging.getLogger(__name__)
_resolver = ThreadPoolExecutor(4, "resolve")


class Process:
    """One process of a service; used by any number of threads at once."""

    def __init__(self, url: str, name: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise Invalid(f"{url!r} is no address of {name}: it takes http://host:port.")
        self.name = name
        self._host, self._port = parts.hostname, parts.port or 80
        self._authority, self._prefix = parts.netloc, parts.path.rstrip("/")
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()
        self._rests_until: float | None = None

    def begin(self, call: Call, until: float, *, fresh: bool = False) -> Exchange:
        """Asks, on a connection that is open if there is one; `until` is told as time left."""
        message = call.spelled(self._authority, self._prefix, _headers(until))
        known = None if fresh else self._taken()
        exchange = Exchange(known or self._connected(until), message, reused=known is not None)
        if known is not None and _sent_badly(exchange):
            known.close()
            return self.begin(call, until, fresh=True)
        return exchange

    def keep(self, sock: socket.socket) -> None:
        """For the next request; of too many idle connections the rest is closed."""
        with self._lock:
            if len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(sock)
                return
        sock.close()

    def failed(self, why: str) -> None:
        """It is asked last for a while."""
        if self._rests_until is None:
            log.warning("%s failed and is asked last: %s", self.name, why)
        self._rests_until = time.monotonic() + REST_S

    def answered(self) -> None:
        if self._rests_until is not None:
            log.info("%s answers again", self.name)
            self._rests_until = None

    def place(self) -> int:
        """Whom to ask first: 2 is for those that failed a moment ago, 1 for those that are well.

        After its rest a process that failed gets one request, and that one asks it before others.
        """
        until, now = self._rests_until, time.monotonic()
        if until is None:
            return 1
        if now < until:
            return 2
        self._rests_until = now + REST_S
        return 0

    def close(self) -> None:
        with self._lock:
            for sock in self._idle:
                sock.close()
            self._idle.clear()

    def _taken(self) -> socket.socket | None:
        """The idle connection that was used last, if the other side has not closed it."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                sock = self._idle.pop()
            if _is_open(sock):
                return sock
            sock.close()

    def _connected(self, until: float) -> socket.socket:
        """A connection that is being made; it can be written to once it stands."""
        family, address = self._address(until)
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failure = sock.connect_ex(address)
        if failure not in (0, errno.EINPROGRESS):
            sock.close()
            raise OSError(failure, os.strerror(failure))
        return sock

    def _address(self, until: float) -> tuple[socket.AddressFamily, Any]:
        """A name is looked up in a thread, for nothing else bounds how long that takes."""
        asked = _resolver.submit(
            socket.getaddrinfo, self._host, self._port, type=socket.SOCK_STREAM
        )
        try:
            found = asked.result(max(0.0, until - time.monotonic()))
        except TimeoutError as error:
            raise TimeoutError(f"{self._host} could not be looked up in time") from error
        family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        return family, address


class Group:
    """Processes that can stand in for each other; the load goes round."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = tuple(processes)
        self._turn = count()

    def in_order(self) -> list[Process]:
        """Whom to ask first, and then; those that failed a moment ago come last."""
        first = next(self._turn) % len(self._processes)
        turned = self._processes[first:] + self._processes[:first]
        return sorted(turned, key=lambda process: process.place())


def _headers(until: float) -> dict[str, str]:
    """How long somebody waits, and under which name the request is logged."""
    left_ms = max(1, int((until - time.monotonic()) * 1_000 * _SPARE))
    request_id = logs.current("request_id")
    named = {} if request_id is None else {"x-request-id": str(request_id)}
    return {"x-deadline-ms": str(left_ms), **named}


def _is_open(sock: socket.socket) -> bool:
    """Nothing is to be read from an idle connection: neither an end nor what nobody asked for."""
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _sent_badly(exchange: Exchange) -> bool:
    """Sends at once what fits, which saves waiting until the socket can be written to."""
    try:
        exchange.go_on()
    except OSError:
        return True
    return False
