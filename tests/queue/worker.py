"""A Celery worker as a process; for whatever it is rung, it asks the test that started it.

`python -m tests.queue.worker PORT '{"url": …, "queues": […], …}'`: a connection to the port for
each task, with the task as a line of JSON, and a line back when it is done.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from shared.queue.celery.worker import run_worker
from shared.queue.wire import to_wire
from shared.runtime.logs import configure
from shared.tasks import Task


def main(port: str, arguments: str) -> int:
    configure("INFO")
    threading.Thread(target=_die_with_the_test, daemon=True).start()
    chosen: dict[str, Any] = json.loads(arguments)
    heartbeat = chosen.pop("heartbeat")

    def handle(task: Task) -> None:
        _ask(int(port), task)

    return run_worker(handle=handle, heartbeat=heartbeat and Path(heartbeat), **chosen)


def _ask(port: int, task: Task) -> None:
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        connection.makefile("rw", encoding="utf-8") as stream,
    ):
        print(json.dumps(to_wire(task)), file=stream, flush=True)
        answer = stream.readline().strip()
    if answer != "done":
        raise RuntimeError(answer)


def _die_with_the_test() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
