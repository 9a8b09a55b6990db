"""A queue under test with somebody who answers; another adapter needs another `opened` only."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from shared.queue.celery.queue import CeleryQueue
from shared.queue.local import QUEUE_NAMES, LocalQueue
from shared.queue.port import Queue
from shared.tasks import Task
from tests.queue.office import PATIENCE_S, Office, eventually, office

Open = Callable[[Callable[[Task], None]], AbstractContextManager[Queue]]


class Answers:
    """Notes who rang; can be made to stand still, and to fail."""

    def __init__(self) -> None:
        self.heard: list[Task] = []
        self.go = threading.Event()
        self.go.set()
        self.failing: set[Task] = set()
        self._changed = threading.Condition()

    def handle(self, task: Task) -> None:
        with self._changed:
            self.heard.append(task)
            self._changed.notify_all()
        assert self.go.wait(10)
        if task in self.failing:
            raise ValueError("told to fail")

    def wait_for(self, condition: Callable[[list[Task]], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: condition(self.heard), timeout=10)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@contextmanager
def _local(handle: Callable[[Task], None]) -> Iterator[Queue]:
    queue = LocalQueue(handle)
    queue.start()
    yield queue
    assert queue.close(10)


class _Counted(CeleryQueue):
    """Knows how many rings somebody has to hear."""

    rung = 0

    def ring(self, task: Task) -> bool:
        heard = super().ring(task)
        self.rung += heard
        return heard


class Celery:
    """A worker process for each queue, as long as the tests run; all of them are rung one by one."""

    def __init__(self, url: str, here: Office, folder: Path) -> None:
        self._url, self._office = url, here
        self._prefix = f"{secrets.token_hex(8)}:"
        hearts = {name: folder / name for name in QUEUE_NAMES}
        for name, heartbeat in hearts.items():
            here.start(url, name, prefix=self._prefix, heartbeat=heartbeat)
        assert eventually(lambda: all(one.exists() for one in hearts.values()), timeout=60)

    @contextmanager
    def opened(self, handle: Callable[[Task], None]) -> Iterator[Queue]:
        self._office.handle, self._office.done = handle, 0
        queue = _Counted(self._url, prefix=self._prefix)
        yield queue
        # Nothing may be left that the next test would hear.
        assert self._office.wait_for(lambda _: self._office.done >= queue.rung, PATIENCE_S)
        queue.close()


@pytest.fixture(scope="session")
def celery(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Celery]:
    with office() as here:
        yield Celery(redis_url, here, tmp_path_factory.mktemp("hearts"))


@pytest.fixture(params=["local", "celery"])
def opened(request: pytest.FixtureRequest) -> Open:
    if request.param == "celery":
        celery: Celery = request.getfixturevalue("celery")
        return celery.opened
    return _local


@pytest.fixture
def queue(opened: Open, answers: Answers) -> Iterator[Queue]:
    with opened(answers.handle) as queue:
        yield queue
        answers.go.set()
