"""Whoever rings: one LPUSH, in bounded time whatever Redis does."""

from typing import Final

from shared.queue.celery.application import TASK, application
from shared.queue.wire import to_wire
from shared.runtime.breaker import Breaker
from shared.tasks import QueueName, Task, queue_of

_PATIENCE_S: Final = 0.25
_REST_S: Final = 1.0
_SOCKET_S: Final = 0.2


class CeleryQueue:
    """The `Queue` over Celery on Redis; nothing is connected before the first ring.

    A ring that Redis has not taken within a quarter of a second is nobody's: after it, every ring
    of the next second is refused at once. `waiting` counts what no worker has taken yet, and is 0
    while Redis does not answer: whoever rings then learns it from the ring.
    """

    def __init__(self, url: str, *, prefix: str = "") -> None:
        # Redis is asked once: a thread that tries again is not there for the next ring.
        timeouts = {"socket_timeout": _SOCKET_S, "socket_connect_timeout": _SOCKET_S}
        self._app = application(url, prefix, max_retries=0, **timeouts)
        # Made here, because what Celery imports for it takes longer than a ring may.
        _ = self._app.amqp.send_task_message
        self._breaker = Breaker("the queue's Redis", patience_s=_PATIENCE_S, rest_s=_REST_S)

    def ring(self, task: Task) -> bool:
        return self._breaker.ask(lambda: self._rung(task), otherwise=False)

    def waiting(self, queue: QueueName) -> int:
        return self._breaker.ask(lambda: self._length(queue), otherwise=0)

    def close(self) -> None:
        """Lets go of the connections; rings are refused from then on."""
        self._breaker.close()
        self._app.close()

    def _rung(self, task: Task) -> bool:
        # A queue needs no declaration on Redis: it is there as long as it is not empty.
        message = (to_wire(task),)
        self._app.send_task(TASK, message, queue=queue_of(task), declare=[], retry=False)
        return True

    def _length(self, queue: QueueName) -> int:
        with self._app.pool.acquire() as connection:
            return int(connection.default_channel.queue_declare(queue).message_count)
