"""For servers that one can do without: asked in bounded time, and left alone after a failure."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

_THREADS: Final = 4
_log: Final = logging.getLogger(__name__)


class Breaker:
    """Waits `patience_s` seconds for an answer; after a failure, `rest_s` seconds for none at all.

    Questions are asked on threads of its own, because sockets have timeouts, but looking up a name
    has none, and several slow answers add up. A failure is never the caller's; the log has a line
    when `name` begins to fail, and one when it is back.
    """

    def __init__(self, name: str, *, patience_s: float, rest_s: float) -> None:
        self._name, self._patience_s, self._rest_s = name, patience_s, rest_s
        self._threads = ThreadPoolExecutor(_THREADS, "breaker")
        self._resting_until = 0.0
        self._failing = False

    def ask(self, question: Callable[[], T], otherwise: T) -> T:
        """The answer, or `otherwise` where there is none in time; several threads may ask at once."""
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            answer = self._asked(question)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody depends on the answer
            self._failed(error)
            return otherwise
        self._answered()
        return answer

    def close(self) -> None:
        """Whatever is asked from then on has no answer."""
        self._threads.shutdown()

    def _asked(self, question: Callable[[], T]) -> T:
        answer = self._threads.submit(question)
        try:
            return answer.result(self._patience_s)
        finally:
            answer.cancel()

    def _failed(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + self._rest_s
        if not self._failing:
            self._failing = True
            _log.warning("%s does not answer, going on without it: %r", self._name, error)

    def _answered(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("%s answers again", self._name)
