"""The server's clock, asked now and then and carried on in between."""

import threading
import time
from collections.abc import Callable
from typing import Final

ASK_EVERY_S: Final = 2.0


class ServerClock:
    """Milliseconds since 1970 as the server has them, at most a round trip behind, never backwards.

    Between two questions our own monotonic clock counts: what somebody sets the wall clock of this
    machine to plays no part.
    """

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._told = 0
        self._told_at = -float("inf")
        self._last = 0

    def __call__(self) -> int:
        if time.monotonic() - self._told_at > ASK_EVERY_S:
            self._listen()
        with self._lock:
            passed = time.monotonic() - self._told_at
            self._last = max(self._last, self._told + int(passed * 1000))
            return self._last

    def doubt(self) -> None:
        """The next reading asks the server: it decided otherwise than we did."""
        with self._lock:
            self._told_at = -float("inf")

    def _listen(self) -> None:
        # Without the lock: a server that is down keeps nobody waiting for the others' turns.
        told = self._ask()
        with self._lock:
            self._told, self._told_at = told, time.monotonic()
