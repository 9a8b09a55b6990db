"""The queue's Redis, a worker or the network in trouble: rings take no time, and all goes on after."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
import redis

from shared.queue.celery.queue import CeleryQueue
from shared.tasks import SyncShard
from tests.queue.office import Office, eventually, office
from tests.servers.process import Server
from tests.servers.proxy import Proxy, proxy_to
from tests.servers.redis import redis_server

A, B, C = (SyncShard("idx_1", shard) for shard in range(3))
RING_S = 0.3
"""What a ring may take, whatever is wrong."""
SLACK_S = 0.7
"""What a busy machine may add to it."""

Trouble = Callable[[Server, Proxy], AbstractContextManager[None]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_server(tmp_path) as one:
        yield one


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with proxy_to(server.url) as one:
        yield one


@pytest.fixture
def here() -> Iterator[Office]:
    with office() as one:
        yield one


@pytest.fixture
def heartbeat(tmp_path: Path) -> Path:
    return tmp_path / "heartbeat"


@contextmanager
def _frozen(server: Server, _: Proxy) -> Iterator[None]:
    server.freeze()
    yield
    server.thaw()


@contextmanager
def _killed(server: Server, _: Proxy) -> Iterator[None]:
    server.kill()
    yield
    server.restart()


@contextmanager
def _full(server: Server, _: Proxy) -> Iterator[None]:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        yield
        client.config_set("maxmemory", 0)


@contextmanager
def _cut(_: Server, proxy: Proxy) -> Iterator[None]:
    proxy.cut()
    yield
    proxy.heal()


@contextmanager
def _silent(_: Server, proxy: Proxy) -> Iterator[None]:
    proxy.black_hole()
    yield
    proxy.heal()


@contextmanager
def _slow(_: Server, proxy: Proxy) -> Iterator[None]:
    proxy.delay(0.15)  # every single answer comes in time, all of them together do not
    yield
    proxy.heal()


@pytest.mark.parametrize("trouble", [_frozen, _killed, _full, _cut, _silent, _slow])
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "fresh"])
def test_a_ring_takes_little_time_whatever_is_wrong(
    server: Server, proxy: Proxy, trouble: Trouble, *, connected: bool
) -> None:
    with closing(CeleryQueue(proxy.url)) as queue:
        if connected:
            assert queue.ring(A)
        with trouble(server, proxy):
            with _within(RING_S + SLACK_S):
                assert not queue.ring(A)
            with _within(SLACK_S):
                assert not any(queue.ring(A) for _ in range(100))
                assert queue.waiting("index") == 0
        assert eventually(lambda: queue.ring(B))
        assert queue.waiting("index") >= 1


def test_a_ring_to_a_host_without_a_name_takes_little_time() -> None:
    with (
        closing(CeleryQueue("redis://no-such-host.invalid:6379")) as queue,
        _within(RING_S + SLACK_S),
    ):
        assert not queue.ring(A)


def test_queue_and_worker_go_on_after_redis_was_killed(server: Server, here: Office) -> None:
    worker = here.start(server.url, "index")
    with closing(CeleryQueue(server.url)) as queue:
        assert queue.ring(A)
        assert here.wait_for(lambda heard: A in heard)
        server.kill()
        assert not queue.ring(B)
        server.restart()
        assert eventually(lambda: queue.ring(B))
        assert here.wait_for(lambda heard: B in heard)
    assert worker.poll() is None


def test_a_task_that_ends_while_redis_is_away_keeps_no_place(
    server: Server, here: Office, heartbeat: Path
) -> None:
    go = threading.Event()
    here.handle = lambda _: _waited_for(go)
    here.start(server.url, "index", heartbeat=heartbeat)
    with closing(CeleryQueue(server.url)) as queue:
        queue.ring(A)
        assert here.wait_for(lambda heard: A in heard)
        server.kill()
        go.set()
        assert here.wait_for(lambda _: here.done == 1)
        assert _beats_twice(heartbeat), "it has tried to acknowledge by then"
        server.restart()
        assert eventually(lambda: queue.ring(B))
        assert here.wait_for(lambda heard: B in heard)


def test_a_worker_that_is_started_first_waits_for_redis_alive(
    server: Server, here: Office, heartbeat: Path
) -> None:
    server.kill()
    worker = here.start(server.url, "index", heartbeat=heartbeat)
    assert _beats_twice(heartbeat), "it beats while it waits"
    server.restart()
    with closing(CeleryQueue(server.url)) as queue:
        assert queue.ring(A)
        assert here.wait_for(lambda heard: heard == [A])
    server.kill()
    worker.terminate()
    assert worker.wait(10) == 0


def test_a_worker_ends_although_redis_is_frozen(server: Server, here: Office) -> None:
    worker = here.start(server.url, "index")
    with closing(CeleryQueue(server.url)) as queue:
        queue.ring(A)
        assert here.wait_for(lambda heard: heard == [A])
        server.freeze()
        worker.terminate()
        assert worker.wait(20) == 0
        server.thaw()


def test_a_worker_outlives_a_full_redis(
    server: Server, proxy: Proxy, here: Office, heartbeat: Path
) -> None:
    go = threading.Event()
    here.handle = lambda _: _waited_for(go)
    worker = here.start(server.url, "index", heartbeat=heartbeat)
    with closing(CeleryQueue(server.url)) as queue:
        assert queue.ring(A)
        assert queue.ring(B)
        assert here.wait_for(lambda heard: A in heard)
        with _full(server, proxy):
            go.set()
            assert here.wait_for(lambda _: here.done == 1)
            assert _beats_twice(heartbeat), "it has tried to acknowledge, and to take another"
        assert eventually(lambda: queue.ring(C))
        assert here.wait_for(lambda heard: C in heard)
    assert worker.poll() is None


def test_after_a_flush_rings_are_heard_again(server: Server, here: Office) -> None:
    here.start(server.url, "index")
    with closing(CeleryQueue(server.url)) as queue, redis.Redis.from_url(server.url) as client:
        assert queue.ring(A)
        assert here.wait_for(lambda heard: A in heard)
        client.flushall()
        assert queue.ring(B)
        assert here.wait_for(lambda heard: B in heard)


def test_a_worker_killed_over_a_task_leaves_the_queue_to_the_next(
    server: Server, here: Office
) -> None:
    go = threading.Event()
    here.handle = lambda _: _waited_for(go)
    first = here.start(server.url, "index")
    with closing(CeleryQueue(server.url)) as queue:
        queue.ring(A)
        assert here.wait_for(lambda heard: A in heard)
        queue.ring(B)
        first.kill()
        here.handle = lambda _: None
        here.start(server.url, "index")
        assert here.wait_for(lambda heard: B in heard)
        go.set()


def test_a_ring_that_went_to_a_frozen_worker_may_be_lost_and_the_next_is_heard(
    server: Server, here: Office
) -> None:
    first = here.start(server.url, "index")
    with closing(CeleryQueue(server.url)) as queue:
        queue.ring(A)
        assert here.wait_for(lambda heard: heard == [A])
        first.send_signal(signal.SIGSTOP)
        assert queue.ring(B)
        first.kill()
        here.start(server.url, "index")
        assert queue.ring(C)
        assert here.wait_for(lambda heard: C in heard)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    before = time.monotonic()
    yield
    assert time.monotonic() - before < seconds


def _beats_twice(heartbeat: Path) -> bool:
    """The worker's loop has turned since, or it is waiting for Redis."""
    for _ in range(2):
        heartbeat.unlink(missing_ok=True)
        if not eventually(heartbeat.exists):
            return False
    return True


def _waited_for(go: threading.Event) -> None:
    assert go.wait(20)
