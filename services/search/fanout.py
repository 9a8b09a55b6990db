"""One question to many shards at once, and only as long as the deadline allows."""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from shared.errors import LookalikeError

Answer = TypeVar("Answer")
THREADS_A_SHARD = 2

log = logging.getLogger(__name__)


class FanOut(Generic[Answer]):
    """Threads by shard, so that a shard that hangs holds up only its own.

    A single shard is asked in the caller's thread: it saves the way to another one, and between
    its steps the shard looks at the deadline by itself.
    """

    def __init__(self) -> None:
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._lock = Lock()

    def ask(
        self, shards: Mapping[int, Callable[[], Answer]], until: float
    ) -> tuple[dict[int, Answer], dict[int, str]]:
        """Answers, and the reasons of those that failed or did not answer in time."""
        waiting = dict(shards)
        if len(shards) > 1:
            asked = {n: self._pool(n).submit(ask) for n, ask in shards.items()}
            waiting = {n: partial(_result, future, until) for n, future in asked.items()}
        answers: dict[int, Answer] = {}
        failed: dict[int, str] = {}
        for number, answer in waiting.items():
            try:
                answers[number] = answer()
            except LookalikeError as error:
                failed[number] = error.detail
            except TimeoutError:
                failed[number] = "no answer by the deadline"
            except Exception as error:
                log.exception("shard %d failed", number)
                failed[number] = f"failed: {type(error).__name__}"
        return answers, failed

    def close(self) -> None:
        """Waits for nobody."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, number: int) -> ThreadPoolExecutor:
        with self._lock:
            if number not in self._pools:
                name = f"shard-{number}"
                self._pools[number] = ThreadPoolExecutor(THREADS_A_SHARD, name)
            return self._pools[number]


def _result(future: Future[Answer], until: float) -> Answer:
    return future.result(max(0.0, until - time.monotonic()))
