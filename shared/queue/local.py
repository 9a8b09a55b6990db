"""The doorbell inside one process: threads instead of a broker."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, get_args

from shared.tasks import QueueName, Task, queue_of

QUEUE_NAMES: Final[tuple[QueueName, ...]] = get_args(QueueName)
_log = logging.getLogger(__name__)


class LocalQueue:
    """Runs `handle` on threads of its own, so many for each queue.

    Equal tasks that wait are one. A task that is being run may be rung once more: what made the
    second ring necessary may have come after the first had looked. Nothing outlives the process;
    the documents say what is pending, and whoever reconciles rings again.
    """

    def __init__(
        self, handle: Callable[[Task], None], threads: Mapping[QueueName, int] | None = None
    ) -> None:
        self._handle = handle
        self._counts = dict.fromkeys(QUEUE_NAMES, 1) | dict(threads or {})
        # A dict is an ordered set: the oldest first.
        self._waiting: dict[QueueName, dict[Task, None]] = {name: {} for name in QUEUE_NAMES}
        self._running = 0
        self._open = True
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """What was rung before is heard now."""
        self._threads = [
            threading.Thread(target=self._work, args=(name,), name=f"{name}-{n}", daemon=True)
            for name, count in self._counts.items()
            for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def ring(self, task: Task) -> bool:
        with self._changed:
            if self._open:
                self._waiting[queue_of(task)][task] = None
                self._changed.notify_all()
            return self._open

    def waiting(self, queue: QueueName) -> int:
        with self._changed:
            return len(self._waiting[queue])

    def idle(self, timeout: float) -> bool:
        """Wait until nothing waits and nothing runs; False when `timeout` seconds were too short."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout)

    def close(self, timeout: float) -> bool:
        """Finish what runs, forget what waits; False when `timeout` seconds were too short."""
        with self._changed:
            self._open = False
            for tasks in self._waiting.values():
                tasks.clear()
            self._changed.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _is_idle(self) -> bool:
        return not self._running and not any(self._waiting.values())

    def _work(self, name: QueueName) -> None:
        while (task := self._next(name)) is not None:
            try:
                self._handle(task)
            except Exception as error:  # noqa: BLE001 - one task's failure is not its thread's
                _log.exception("%s failed: %s", task, error)
            finally:
                self._done()

    def _next(self, name: QueueName) -> Task | None:
        """The oldest task; None when the queue was closed."""
        waiting = self._waiting[name]
        with self._changed:
            self._changed.wait_for(lambda: waiting or not self._open)
            if not waiting:
                return None
            task = next(iter(waiting))
            del waiting[task]
            self._running += 1
            return task

    def _done(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()
