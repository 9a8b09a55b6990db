"""A worker process from its first ring to its last: signals, failures, its heart."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from shared.queue.celery.application import TASK, application
from shared.runtime.heartbeat import is_alive
from shared.tasks import ImportChunk, SyncShard, Task
from tests.queue.conftest import Broker
from tests.queue.office import Office, Worker, eventually

A, B, C = (SyncShard("idx_1", shard) for shard in range(3))


def test_it_ends_after_what_runs_and_leaves_the_rest(here: Office, broker: Broker) -> None:
    go = threading.Event()
    here.handle = lambda _: _waited_for(go)
    worker = here.start(broker.url, "index", prefix=broker.prefix, grace_s=30)
    broker.queue.ring(A)
    assert here.wait_for(lambda heard: heard == [A])
    broker.queue.ring(B)
    worker.terminate()
    threading.Timer(1, go.set).start()  # A takes a second longer
    assert worker.wait(5) == 0
    assert (here.heard, here.done) == ([A], 1)
    assert broker.queue.waiting("index") == 1


def test_what_is_unfinished_after_the_grace_is_another_workers_at_once(
    here: Office, broker: Broker
) -> None:
    go = threading.Event()
    here.handle = lambda _: _waited_for(go)
    first = here.start(broker.url, "index", prefix=broker.prefix, grace_s=0.5)
    broker.queue.ring(A)
    assert here.wait_for(lambda heard: heard == [A])
    here.start(broker.url, "index", prefix=broker.prefix)
    first.terminate()
    assert first.wait(5) == 0
    assert here.wait_for(lambda heard: heard == [A, A], timeout=5)
    go.set()


def test_a_second_signal_ends_the_grace(here: Office, broker: Broker) -> None:
    go = threading.Event()
    here.handle = lambda _: _waited_for(go)
    worker = here.start(broker.url, "index", prefix=broker.prefix, grace_s=60)
    broker.queue.ring(A)
    assert here.wait_for(lambda heard: heard == [A])
    worker.send_signal(signal.SIGINT)
    with pytest.raises(Exception, match="timed out"):
        worker.wait(1)
    worker.terminate()
    assert worker.wait(5) == 0
    assert broker.queue.waiting("index") == 1
    go.set()


def test_an_idle_worker_ends_without_losing_what_is_rung_meanwhile(
    here: Office, broker: Broker
) -> None:
    first = _ready(here, broker)
    tasks = [SyncShard("idx_1", shard) for shard in range(10, 310)]
    for number, task in enumerate(tasks):
        assert broker.queue.ring(task)
        if number == 100:
            first.terminate()
    assert first.wait(5) == 0
    here.start(broker.url, "index", prefix=broker.prefix)
    assert here.wait_for(lambda heard: set(heard) >= set(tasks))


def test_what_cannot_be_understood_is_dropped_and_the_rest_is_heard(
    here: Office, broker: Broker
) -> None:
    def fail(task: Task) -> None:
        if task == A:
            raise ValueError("no such shard")

    here.handle = fail
    with application(broker.url, broker.prefix) as stranger:
        for message in ({"kind": "Nope"}, {"kind": "SyncShard", "shard": "x"}, None):
            stranger.send_task(TASK, (message,), queue="index")
        stranger.send_task("somebody.elses", queue="index")
    broker.redis.lpush(f"{broker.prefix}index", json.dumps({"no": "message"}))
    worker = here.start(broker.url, "index", prefix=broker.prefix)
    assert broker.queue.ring(A)
    assert broker.queue.ring(B)
    assert here.wait_for(lambda heard: heard == [A, B])
    assert worker.poll() is None
    worker.terminate()
    assert worker.wait(5) == 0
    assert broker.queue.waiting("index") == 0
    assert broker.redis.hlen(f"{broker.prefix}unacked") == 0


def test_it_runs_as_many_tasks_at_once_as_it_has_threads(here: Office, broker: Broker) -> None:
    together = threading.Barrier(3)

    def meet(_: Task) -> None:
        together.wait(10)

    here.handle = meet
    here.start(broker.url, "embed_now", "embed_bulk", prefix=broker.prefix, concurrency=3)
    for number in range(3):
        broker.queue.ring(ImportChunk("imp_1", number))
    assert here.wait_for(lambda _: here.done == 3)
    assert not together.broken


def test_a_flood_in_one_queue_holds_up_no_other(here: Office, broker: Broker) -> None:
    flood = [ImportChunk("imp_1", number) for number in range(50)]
    for task in flood:
        broker.queue.ring(task)
    broker.queue.ring(A)
    here.start(broker.url, "embed_bulk", "index", prefix=broker.prefix)
    assert here.wait_for(lambda heard: A in heard)
    assert here.heard.index(A) <= 2


def test_installations_that_share_a_redis_do_not_hear_each_other(
    here: Office, broker: Broker
) -> None:
    here.start(broker.url, "index", prefix=f"other-{broker.prefix}")
    here.start(broker.url, "build", prefix=broker.prefix)
    broker.queue.ring(A)
    _ready(here, broker)
    assert here.heard == [A, C]


def test_its_heart_beats_while_it_works_and_not_while_it_is_frozen(
    here: Office, broker: Broker, tmp_path: Path
) -> None:
    heartbeat = tmp_path / "heartbeat"
    go = threading.Event()
    here.handle = lambda _: _waited_for(go)
    worker = here.start(broker.url, "index", prefix=broker.prefix, heartbeat=heartbeat)
    broker.queue.ring(A)
    assert here.wait_for(lambda heard: heard == [A])
    assert eventually(lambda: is_alive(heartbeat, 1))
    _age(heartbeat)
    assert eventually(lambda: is_alive(heartbeat, 1)), "it beats while a task runs"
    worker.send_signal(signal.SIGSTOP)
    _age(heartbeat)
    assert not eventually(lambda: is_alive(heartbeat, 1), timeout=3)
    worker.send_signal(signal.SIGCONT)
    assert eventually(lambda: is_alive(heartbeat, 1))
    go.set()


def _ready(here: Office, broker: Broker) -> Worker:
    """A worker that has answered once."""
    worker = here.start(broker.url, "index", prefix=broker.prefix)
    broker.queue.ring(C)
    assert here.wait_for(lambda heard: C in heard)
    return worker


def _waited_for(go: threading.Event) -> None:
    assert go.wait(20)


def _age(heartbeat: Path) -> None:
    """As if nobody had touched it for a minute."""
    then = time.time() - 60
    os.utime(heartbeat, (then, then))
