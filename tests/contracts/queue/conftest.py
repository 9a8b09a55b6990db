"""A queue under test with somebody who answers; another adapter needs another `opened` only."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from shared.queue.local import LocalQueue
from shared.queue.port import Queue
from shared.tasks import Task

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


@pytest.fixture(params=["local"])
def opened(request: pytest.FixtureRequest) -> Open:
    return {"local": _local}[request.param]


@pytest.fixture
def queue(opened: Open, answers: Answers) -> Iterator[Queue]:
    with opened(answers.handle) as queue:
        yield queue
        answers.go.set()
