"""For helpers that one can do without: a server that failed is left alone for a while."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Breaker:
    """Asks `name` as long as it answers; after a failure nobody waits for it for `rest_s` seconds.

    Its failures are never the caller's. The log has a line when it begins to fail, and one when it
    is back; threads may ask at the same time.
    """

    def __init__(self, name: str, *, rest_s: float) -> None:
        self._name, self._rest_s = name, rest_s
        self._resting_until = 0.0
        self._failing = False

    def ask(self, question: Callable[[], T], otherwise: T) -> T:
        """The answer, or `otherwise` where there is none."""
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            answer = question()
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody depends on the answer
            self._failed(error)
            return otherwise
        self._answered()
        return answer

    def _failed(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + self._rest_s
        if not self._failing:
            self._failing = True
            _log.warning("%s fails, going on without it: %r", self._name, error)

    def _answered(self) -> None:
        if self._failing:
            self._failing = False
            _log.info("%s answers again", self._name)
