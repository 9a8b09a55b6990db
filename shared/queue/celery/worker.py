"""Whoever is rung: a Celery worker in this process, from here to SIGTERM."""

import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

from celery.exceptions import WorkerShutdown
from celery.utils.threads import bound_open_broker_sockets
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer

from shared.errors import Malformed
from shared.queue.celery.application import TASK, application
from shared.queue.celery.threads import Threads
from shared.queue.wire import from_wire
from shared.runtime.heartbeat import touch
from shared.tasks import QueueName, Task

_TICK_S: Final = 0.2
_BEAT_S: Final = 2.0
_RECONNECT_S: Final = 2.0
_LAST_WORDS_S: Final = 2.0
_SOCKET_S: Final = 5.0
_CONNECT_S: Final = 3.0
_log: Final = logging.getLogger(__name__)


def run_worker(
    url: str,
    handle: Callable[[Task], None],
    *,
    queues: Sequence[QueueName],
    concurrency: int,
    heartbeat: Path | None,
    grace_s: float = 20,
    prefix: str = "",
) -> int:
    """Answers rings of `queues`, in turn, until SIGTERM or SIGINT; the exit status. Main thread only.

    Then it takes nothing more, lets what runs finish for `grace_s` seconds, and gives the rest
    back to the queue; a second signal ends the grace. While Redis is away it waits. A task that
    fails is logged and done with: the documents say what is pending. `heartbeat` is touched as
    long as the loop turns that fetches messages.
    """
    # Their every line is about one ring that came and went.
    for chatty in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    app = application(url, prefix, socket_timeout=_SOCKET_S, socket_connect_timeout=_CONNECT_S)
    app.set_default()  # tasks run on other threads than this one

    @app.task(name=TASK)  # type: ignore[untyped-decorator] # Celery is untyped
    def ring(message: object) -> None:
        _answer(handle, message)

    shift = _Shift(heartbeat, grace_s)
    worker = WorkController(
        app=app,
        queues=list(queues),
        concurrency=concurrency,
        pool_cls=Threads,
        consumer_cls=partial(_Consumer, shift),
        ready_callback=shift.begin,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    with shift.ended_by(signal.SIGTERM, signal.SIGINT):
        worker.start()
    return int(worker.exitcode or 0)


def _answer(handle: Callable[[Task], None], message: object) -> None:
    """Never raises, so that Celery acknowledges the message whatever became of it."""
    try:
        handle(from_wire(message))
    except Malformed as error:
        _log.error("a ring was dropped: %s", error)
    except Exception as error:  # noqa: BLE001 - one task's failure is not its worker's
        _log.exception("%s failed: %s", message, error)


class _Shift:
    """From the first connection to the last task: looks up several times a second."""

    def __init__(self, heartbeat: Path | None, grace_s: float) -> None:
        self._heartbeat, self._grace_s = heartbeat, grace_s
        self._beat_at = 0.0
        self._signals = 0
        self._deadline: float | None = None
        self._stuck = False
        self.consumer: Any = None

    def begin(self, consumer: Any) -> None:
        """Called by Celery once, when messages can come; its timer outlives lost connections."""
        _log.info("taking rings")
        consumer.timer.call_repeatedly(_TICK_S, self.tick)

    @contextmanager
    def ended_by(self, *signals: signal.Signals) -> Iterator[None]:
        def heard(_: int, __: FrameType | None) -> None:
            self._signals += 1  # no more than this is safe here

        before = {number: signal.signal(number, heard) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def tick(self) -> None:
        """Ends Celery's loop, by `WorkerShutdown`, when the shift is over."""
        now = time.monotonic()
        if self._heartbeat and now >= self._beat_at:
            self._beat_at = now + _BEAT_S
            touch(self._heartbeat)
        if self._signals:
            self._drain(now)
        else:
            self._unstick()

    def _drain(self, now: float) -> None:
        if self._deadline is None:
            self._deadline = now + self._grace_s
            _log.info("taking no more rings, %d are being answered", len(state.reserved_requests))
        if self.consumer.task_consumer:
            self.consumer.task_consumer.cancel()  # anew after a lost connection
        running = len(state.reserved_requests)
        if not running or now >= self._deadline or self._signals > 1:
            if running:
                _log.warning("giving %d unfinished tasks back to the queue", running)
            # A Redis that is silent must not keep a process from ending.
            bound_open_broker_sockets(self.consumer.connection, _LAST_WORDS_S)
            raise WorkerShutdown(0)

    def _unstick(self) -> None:
        """A message whose acknowledgement is lost with Redis keeps its place; a worker that has no
        place left, and nothing to do, for two looks in a row, has to connect anew to have them back.
        """
        before, self._stuck = self._stuck, self.consumer.is_full() and not state.reserved_requests
        if before and self._stuck:
            self._stuck = False
            raise ConnectionError("acknowledgements were lost")


class _Consumer(Consumer):  # type: ignore[misc] # Celery is untyped
    """Waits for Redis as long as it takes, alive and ready to be ended meanwhile."""

    def __init__(self, shift: _Shift, *args: Any, **kwargs: Any) -> None:
        self._shift = shift
        shift.consumer = self
        self.task_consumer: Any = None
        super().__init__(*args, **kwargs)

    def is_full(self) -> bool:
        """Connected, and yet nothing more may come before something is acknowledged."""
        return bool(self.connection) and not self.task_consumer.channel.qos.can_consume()

    def ensure_connected(self, conn: Any) -> Any:
        tick = self._shift.tick
        return conn.ensure_connection(_waits, interval_max=_RECONNECT_S, callback=tick)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """A Redis that can be reached and then refuses, being full: Celery would not wait."""
        _waits(exc, _RECONNECT_S)
        self._shift.tick()
        time.sleep(_RECONNECT_S)


def _waits(error: Exception, interval_s: float) -> None:
    _log.warning("the queue's Redis is of no use, again in %g s: %s", interval_s, error)
