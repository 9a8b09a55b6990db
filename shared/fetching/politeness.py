"""Taking turns: at each host few requests at once, a gap between them, and rest when it asks."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.errors import Unavailable

MAX_REST_S: Final = 300.0
"""What a host may ask for; after that it is asked again in any case."""


class NoTurn(Unavailable):
    """The host was not even asked: its turn would have come too late."""

    code = "fetch_unavailable"


class _Host:
    def __init__(self, connections: int) -> None:
        self.seats = threading.Semaphore(connections)
        self.free_at = 0.0


class Politeness:
    """At most `connections` requests to a host at once, begun `gap_s` seconds apart; by its name.

    Counted in this process: several processes are as many times less polite.
    """

    def __init__(self, connections: int, gap_s: float) -> None:
        self.connections, self._gap_s = connections, gap_s
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def turn(self, name: str, until: float) -> Iterator[None]:
        """Waits; raises `NoTurn` as soon as it is clear that the turn will not come until then."""
        host = self._known(name)
        if not host.seats.acquire(timeout=max(0.0, until - time.monotonic())):
            raise NoTurn(f"{name} had too much else to answer: try again.")
        try:
            while (wait := self._taken(name, host, until)) > 0:
                time.sleep(wait)
            yield
        finally:
            host.seats.release()

    def rest(self, name: str, seconds: float) -> None:
        """Nobody asks the host for so long."""
        host = self._known(name)
        with self._lock:
            host.free_at = max(host.free_at, time.monotonic() + min(seconds, MAX_REST_S))

    def _taken(self, name: str, host: _Host, until: float) -> float:
        """0 when the turn is ours, else how long to wait before asking again."""
        with self._lock:
            now = time.monotonic()
            if max(now, host.free_at) >= until:
                wait = host.free_at - now
                raise NoTurn(f"{name} is left alone for {max(0.0, wait):.0f} s more: try again.")
            if now < host.free_at:
                return host.free_at - now
            host.free_at = now + self._gap_s
            return 0.0

    def _known(self, name: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(name, _Host(self.connections))
