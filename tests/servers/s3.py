"""Object storage as S3 speaks it: moto, which holds everything in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers.process import Program, Server, free_port, installed, running, script


@contextmanager
def s3_server(folder: Path) -> Iterator[Server]:
    """Any key and secret are good; a restart forgets all buckets."""
    port = free_port()
    command = [script("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    url = f"http://127.0.0.1:{port}"
    program = Program(name="s3", version=version(), url=url, command=command, answers=_answers)
    with running(program, folder) as server:
        yield server


def version() -> str | None:
    return installed("moto")


def _answers(url: str) -> None:
    httpx.get(url, timeout=1, trust_env=False).raise_for_status()
