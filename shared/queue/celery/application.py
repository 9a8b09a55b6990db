"""What whoever rings and whoever answers agree on: one Celery task, and where its messages lie."""

from typing import Any, Final

from celery import Celery

TASK: Final = "lookalike.ring"
VISIBILITY_S: Final = 15 * 60
"""After so long without an answer a message is given to another worker; well above the longest
task, which is a chunk with its lease of five minutes."""

_SETTINGS: Final[dict[str, Any]] = {
    # Acknowledged when done: a worker that dies leaves its message to another. What kills its
    # worker is bounded by the attempts in the documents, not by Celery.
    "task_acks_late": True,
    "task_reject_on_worker_lost": False,
    "worker_prefetch_multiplier": 1,
    # A ring has no result, nobody watches it, and it cannot be steered from afar.
    "task_ignore_result": True,
    "result_backend": None,
    "worker_send_task_events": False,
    "worker_enable_remote_control": False,
    # JSON only: nothing that could carry code is ever read.
    "task_serializer": "json",
    "accept_content": ["json"],
    # Whatever becomes of Redis, a worker waits and goes on, and what it runs meanwhile runs on.
    "broker_connection_retry_on_startup": True,
    "broker_channel_error_retry": True,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_enable_prefetch_count_reduction": False,
}
_TRANSPORT: Final[dict[str, Any]] = {
    "visibility_timeout": VISIBILITY_S,
    # Messages of dead workers are looked for every five seconds, at every turn.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "health_check_interval": 25,
}


def application(url: str, prefix: str, **transport: Any) -> Celery:
    """Knows the broker at `url`; connects when it is first used. `prefix` begins all of its keys."""
    app = Celery("lookalike", broker=url, set_as_current=False)
    app.conf.update(_SETTINGS)
    app.conf.broker_transport_options = {**_TRANSPORT, "global_keyprefix": prefix, **transport}
    return app
