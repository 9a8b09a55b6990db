"""What the queue inside one process keeps beyond what every doorbell does."""

import logging
import threading

import pytest

from shared.queue.local import LocalQueue
from shared.tasks import ImportChunk, SyncShard, Task

A, B, C = (SyncShard("idx_1", shard) for shard in range(3))


class Blocked:
    """A handler that stands still until it is let go."""

    def __init__(self) -> None:
        self.heard: list[Task] = []
        self.entered = threading.Event()
        self.go = threading.Event()

    def __call__(self, task: Task) -> None:
        self.heard.append(task)
        self.entered.set()
        assert self.go.wait(10)


def test_equal_tasks_that_wait_are_one_and_the_oldest_is_first() -> None:
    handle = Blocked()
    queue = LocalQueue(handle)
    for task in (A, B, A, C, B):
        assert queue.ring(task)
    assert queue.waiting("index") == 3
    handle.go.set()
    queue.start()
    assert queue.idle(10)
    assert handle.heard == [A, B, C]
    assert queue.close(10)


def test_closing_finishes_what_runs_and_forgets_the_rest() -> None:
    handle = Blocked()
    queue = LocalQueue(handle)
    queue.start()
    queue.ring(A)
    assert handle.entered.wait(10)
    queue.ring(B)
    assert not queue.close(0.05)
    handle.go.set()
    assert queue.close(10)
    assert handle.heard == [A]
    assert not queue.ring(C)
    assert queue.waiting("index") == 0


def test_it_is_not_idle_while_something_runs() -> None:
    handle = Blocked()
    queue = LocalQueue(handle)
    queue.start()
    queue.ring(A)
    assert handle.entered.wait(10)
    assert not queue.idle(0.05)
    handle.go.set()
    assert queue.idle(10)
    assert queue.close(10)


def test_a_queue_has_as_many_threads_as_it_was_given() -> None:
    together = threading.Barrier(3)

    def meet(_: Task) -> None:
        together.wait(10)

    queue = LocalQueue(meet, {"embed_bulk": 3})
    queue.start()
    for number in range(3):
        queue.ring(ImportChunk("imp_1", number))
    assert queue.idle(10)
    assert not together.broken
    assert queue.close(10)


def test_why_a_handler_failed_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Task) -> None:
        raise ValueError("no such shard")

    queue = LocalQueue(fail)
    queue.start()
    with caplog.at_level(logging.ERROR):
        queue.ring(A)
        assert queue.idle(10)
    assert "SyncShard" in caplog.text
    assert "no such shard" in caplog.text
    assert queue.close(10)
