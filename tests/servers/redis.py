"""Redis, which keeps what is older than a second through a kill."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.servers.process import Program, Server, free_port, running


@contextmanager
def redis_server(folder: Path) -> Iterator[Server]:
    """As the broker's Redis is to be run: on file every second, and full rather than forgetful."""
    port = free_port()
    # fmt: off
    command = [
        "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", "everysec",
        "--maxmemory-policy", "noeviction", "--save", "",
    ]
    # fmt: on
    url = f"redis://127.0.0.1:{port}"
    program = Program(name="redis", version=version(), url=url, command=command, answers=_answers)
    with running(program, folder) as server:
        yield server


def version() -> str | None:
    if shutil.which("redis-server") is None:
        return None
    told = subprocess.run(["redis-server", "--version"], check=True, capture_output=True, text=True)
    found = re.search(r"v=(\S+)", told.stdout)
    return found and found[1]


def _answers(url: str) -> None:
    with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
        client.ping()
