"""Where the tasks of worker processes are answered: here, in the test."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

from shared.queue.wire import from_wire
from shared.tasks import QueueName, Task

Worker = subprocess.Popen[bytes]
PATIENCE_S = 20.0


@dataclass
class Office:
    """Notes what its workers were rung for; `handle`, which a test may change, decides about it."""

    handle: Callable[[Task], None] = lambda _: None
    heard: list[Task] = field(default_factory=list)
    """Every task that was begun, in that order."""
    done: int = 0
    """How many ended, one way or the other."""
    port: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    workers: list[Worker] = field(default_factory=list)

    def start(
        self,
        url: str,
        *queues: QueueName,
        prefix: str = "",
        concurrency: int = 1,
        grace_s: float = 5,
        heartbeat: Path | None = None,
    ) -> Worker:
        """A worker that takes rings in a moment."""
        chosen = {
            "url": url,
            "prefix": prefix,
            "queues": queues,
            "concurrency": concurrency,
            "grace_s": grace_s,
            "heartbeat": heartbeat and str(heartbeat),
        }
        command = [sys.executable, "-m", "tests.queue.worker", str(self.port), json.dumps(chosen)]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE)
        self.workers.append(worker)
        return worker

    def answer(self, task: Task) -> str:
        with self.changed:
            self.heard.append(task)
            self.changed.notify_all()
        try:
            self.handle(task)
        except Exception as error:  # noqa: BLE001 - it is the worker's to deal with
            return repr(error)
        finally:
            with self.changed:
                self.done += 1
                self.changed.notify_all()
        return "done"

    def wait_for(
        self, condition: Callable[[Sequence[Task]], bool], timeout: float = PATIENCE_S
    ) -> bool:
        """Whether it came true of `heard`."""
        with self.changed:
            return self.changed.wait_for(lambda: condition(self.heard), timeout)


def eventually(condition: Callable[[], bool], timeout: float = 10) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def office() -> Iterator[Office]:
    """Open to workers; closing it kills those that are left."""
    here = Office()

    class Desk(StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # a worker may be killed over it
                answer = here.answer(from_wire(json.loads(self.rfile.readline())))
                self.wfile.write(f"{answer}\n".encode())

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Desk) as server:
        here.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield here
        finally:
            for worker in here.workers:
                worker.kill()
                worker.communicate()
            server.shutdown()
            thread.join()
