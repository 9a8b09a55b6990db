"""A server that speaks MongoDB's protocol: SecantusDB, on WiredTiger, never imported."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from tests.servers.process import Program, Server, free_port, installed, running, script


@contextmanager
def mongodb_server(folder: Path) -> Iterator[Server]:
    """Syncs each commit, so that what it acknowledged survives a kill."""
    port = free_port()
    # fmt: off
    command = [
        script("secantusd-py"), "--host", "127.0.0.1", "--port", str(port),
        "--storage-path", str(folder / "data"), "--cache-size", "64M", "--sync-on-commit",
    ]
    # fmt: on
    url = f"mongodb://127.0.0.1:{port}"
    program = Program(name="mongodb", version=version(), url=url, command=command, answers=_answers)
    with running(program, folder) as server:
        yield server


def version() -> str | None:
    return installed("SecantusDB")


def _answers(url: str) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        url, serverSelectionTimeoutMS=1000, connectTimeoutMS=1000, socketTimeoutMS=1000
    )
    with client:
        client.admin.command("ping")
