"""What every doorbell keeps: little, so that nobody relies on more."""

from typing import Any

import pytest

from shared.queue.port import Queue
from shared.tasks import (
    BuildIndex,
    CompactShard,
    EmbedImages,
    ImportChunk,
    PlanImport,
    SyncElasticsearch,
    SyncShard,
    Task,
    queue_of,
)

EVERY_TASK: list[Task] = [
    EmbedImages("f1"),
    EmbedImages("f1", "shop", ("a", "b")),
    PlanImport("imp_1"),
    ImportChunk("imp_1", 7),
    SyncShard("idx_1", 0),
    SyncElasticsearch("idx_1", 0),
    CompactShard("idx_1", 1),
    BuildIndex("idx_1"),
]


@pytest.mark.parametrize("task", EVERY_TASK, ids=lambda task: type(task).__name__)
def test_a_ring_is_heard_as_it_was_rung(queue: Queue, answers: Any, task: Task) -> None:
    assert queue.ring(task)
    assert answers.wait_for(lambda heard: heard == [task])


def test_a_handler_that_fails_stops_nobody(queue: Queue, answers: Any) -> None:
    bad, good = SyncShard("idx_1", 0), SyncShard("idx_1", 1)
    answers.failing.add(bad)
    queue.ring(bad)
    assert answers.wait_for(lambda heard: bad in heard)
    queue.ring(good)
    assert answers.wait_for(lambda heard: good in heard)


def test_a_ring_while_its_task_is_run_is_heard_again(queue: Queue, answers: Any) -> None:
    task = SyncShard("idx_1", 0)
    answers.go.clear()
    queue.ring(task)
    assert answers.wait_for(lambda heard: heard == [task])
    queue.ring(task)
    answers.go.set()
    assert answers.wait_for(lambda heard: heard == [task, task])


def test_queues_do_not_wait_for_each_other(queue: Queue, answers: Any) -> None:
    answers.go.clear()
    for task in EVERY_TASK:
        queue.ring(task)
    names = {queue_of(task) for task in EVERY_TASK}
    assert answers.wait_for(lambda heard: {queue_of(task) for task in heard} == names)


def test_what_nobody_has_answered_is_counted(queue: Queue, answers: Any) -> None:
    answers.go.clear()
    queue.ring(SyncShard("idx_1", 0))
    assert answers.wait_for(lambda heard: len(heard) == 1)
    for shard in (1, 2, 3):
        queue.ring(SyncShard("idx_1", shard))
    assert queue.waiting("index") >= 3
    assert queue.waiting("embed_bulk") == 0
