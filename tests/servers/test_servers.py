"""That a server here does what a test may ask of it: die, come back with its data, freeze."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest
import redis

from tests.servers.elasticsearch import elasticsearch_node
from tests.servers.mongodb import mongodb_server
from tests.servers.process import FOLDER, Program, Server, running
from tests.servers.redis import redis_server
from tests.servers.s3 import s3_server

START = {
    "redis": redis_server,
    "mongodb": mongodb_server,
    "elasticsearch": elasticsearch_node,
    "s3": s3_server,
}
KEEPS_DATA = ["redis", "mongodb", "elasticsearch"]
DOCUMENT = "documents/_doc/kept"


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One of each kind for all tests here: whoever hurts it leaves it running."""
    with START[request.param](tmp_path_factory.mktemp("server")) as started:
        yield started


@dataclass(frozen=True)
class Talk:
    """The least that one can say to a server: keep something, and what did you keep?"""

    keep: Callable[[str], None]
    kept: Callable[[str], object]


def _keep_in_redis(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
        _wait_until(lambda: client.info("persistence")["aof_buffer_length"] == 0)


def _kept_in_redis(url: str) -> object:
    with redis.Redis.from_url(url) as client:
        return client.get("kept")


def _keep_in_mongodb(url: str) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url, journal=True)
    with client:
        client.house.documents.insert_one({"_id": "kept"})


def _kept_in_mongodb(url: str) -> object:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        return client.house.documents.find_one({"_id": "kept"})


def _keep_in_elasticsearch(url: str) -> None:
    httpx.put(f"{url}/{DOCUMENT}", json={"kept": "yes"}, timeout=10).raise_for_status()


def _kept_in_elasticsearch(url: str) -> object:
    return httpx.get(f"{url}/{DOCUMENT}", timeout=10).json()["found"]


TALK = {
    "redis": Talk(_keep_in_redis, _kept_in_redis),
    "mongodb": Talk(_keep_in_mongodb, _kept_in_mongodb),
    "elasticsearch": Talk(_keep_in_elasticsearch, _kept_in_elasticsearch),
}


@pytest.mark.parametrize("server", KEEPS_DATA, indirect=True)
def test_a_killed_server_comes_back_at_its_address_with_its_data(server: Server) -> None:
    url, pid = server.url, server.pid
    talk = TALK[server.name]
    talk.keep(url)
    server.kill()
    assert server.refusal() is not None
    server.restart()
    assert (server.url, server.pid != pid) == (url, True)
    assert talk.kept(url)


@pytest.mark.parametrize("server", START, indirect=True)
def test_a_frozen_server_is_silent_until_it_is_thawed(server: Server) -> None:
    server.freeze()
    began = time.monotonic()
    assert server.refusal() is not None
    assert 0.5 < time.monotonic() - began < 10, "a timeout, neither an error at once nor a hang"
    server.thaw()
    _wait_until(lambda: server.refusal() is None)


@pytest.mark.parametrize("server", START, indirect=True)
def test_a_server_ends_when_it_is_asked_to_and_starts_again(server: Server) -> None:
    server.stop()
    assert server.refusal() is not None
    server.restart()
    assert server.refusal() is None


def test_a_server_that_cannot_start_is_quoted(tmp_path: Path) -> None:
    def answers(url: str) -> None:
        raise ConnectionRefusedError

    program = Program(
        name="stubborn",
        version="1",
        url="",
        command=["sh", "-c", "echo no such luck; exit 3"],
        answers=answers,
    )
    with (
        pytest.raises(RuntimeError, match="ended with 3:\nno such luck"),
        running(program, tmp_path),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of the death")
def test_a_server_does_not_outlive_whoever_started_it(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from tests.servers.redis import redis_server\n"
        "with redis_server(pathlib.Path(sys.argv[1])) as server:\n"
        "    print(server.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=FOLDER.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert _listens(url)
        parent.kill()
    _wait_until(lambda: not _listens(url))


def test_a_server_outlives_the_thread_that_restarted_it(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        thread = threading.Thread(target=server.restart)
        thread.start()
        thread.join()
        assert server.refusal() is None


def _listens(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        try:
            client.ping()
        except redis.ConnectionError:
            return False
    return True


def _wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
