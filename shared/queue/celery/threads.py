"""The threads that a worker's tasks run on."""

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

from celery.concurrency.base import BasePool, apply_target


class Threads(BasePool):  # type: ignore[misc] # Celery is untyped
    """A Celery pool that never waits for a thread, neither when it stops nor when the process ends.

    Celery's own pool of threads waits for every task before it stops, however long that takes.
    What still runs when the time is up is given back to the queue and dies with the process.
    """

    # What Celery asks of a pool: may buffers be handed over, may a signal handler stop it.
    body_can_be_buffer = True
    signal_safe = False

    def on_start(self) -> None:
        self._waiting: SimpleQueue[Callable[[], object]] = SimpleQueue()
        for number in range(self.limit):
            threading.Thread(target=self._work, name=f"task-{number}", daemon=True).start()

    def on_apply(
        self,
        target: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        callback: Callable[..., object],
        accept_callback: Callable[..., object],
        **_: object,
    ) -> None:
        self._waiting.put(partial(apply_target, target, args, kwargs, callback, accept_callback))

    def _work(self) -> None:
        while True:
            task = self._waiting.get()
            task()
