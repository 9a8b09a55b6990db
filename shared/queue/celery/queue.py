"""Whoever rings: one LPUSH, in bounded time whatever Redis does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from shared.queue.celery.application import TASK, application
from shared.queue.wire import to_wire
from shared.runtime.breaker import Breaker
from shared.tasks import QueueName, Task, queue_of

T = TypeVar("T")

PATIENCE_S: Final = 0.25
REST_S: Final = 1.0
_SOCKET_S: Final = 0.2
_THREADS: Final = 4


class CeleryQueue:
    """The `Queue` over Celery on Redis; nothing is connected before the first ring.

    A ring that Redis has not taken within a quarter of a second is nobody's: after it, every ring
    of the next second is refused at once. `waiting` counts what no worker has taken yet, and is 0
    while Redis does not answer: who then rings is told by the ring.
    """

    def __init__(self, url: str, *, prefix: str = "") -> None:
        # Never tries again by itself, so that threads are soon free for another try.
        self._app = application(
            url,
            prefix,
            socket_timeout=_SOCKET_S,
            socket_connect_timeout=_SOCKET_S,
            max_retries=0,
        )
        self._breaker = Breaker("the queue's Redis", rest_s=REST_S)
        # Sockets have timeouts, but looking up a name and several slow answers add up.
        self._threads = ThreadPoolExecutor(_THREADS, "ring")

    def ring(self, task: Task) -> bool:
        return self._soon(lambda: self._send(task), otherwise=False)

    def waiting(self, queue: QueueName) -> int:
        return self._soon(lambda: self._length(queue), otherwise=0)

    def close(self) -> None:
        """Lets go of the connections; rings are refused from then on."""
        self._threads.shutdown()
        self._app.close()

    def _soon(self, question: Callable[[], T], otherwise: T) -> T:
        def asked() -> T:
            answer = self._threads.submit(question)
            try:
                return answer.result(PATIENCE_S)
            finally:
                answer.cancel()

        return self._breaker.ask(asked, otherwise)

    def _send(self, task: Task) -> bool:
        # A queue needs no declaration on Redis: it is there as long as it is not empty.
        message = (to_wire(task),)
        self._app.send_task(TASK, message, queue=queue_of(task), declare=[], retry=False)
        return True

    def _length(self, queue: QueueName) -> int:
        with self._app.pool.acquire() as connection:
            return int(connection.default_channel.queue_declare(queue).message_count)
