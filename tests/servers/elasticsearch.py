"""A real Elasticsearch node, built by `make servers` from its published jars."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from tests.servers.process import FOLDER, Program, Server, free_port, running

_HOME: Final = FOLDER / "elasticsearch"


@contextmanager
def elasticsearch_node(folder: Path) -> Iterator[Server]:
    """One node that keeps everything in `folder`, and may take snapshots below it."""
    port = free_port()
    # fmt: off
    command = [
        "java", "-Xms512m", "-Xmx512m",
        # Ready sooner, and light on a machine that does much else.
        "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
        "--add-modules=jdk.unsupported", f"-Djava.io.tmpdir={folder}",
        "-cp", f"{_HOME}/lib/*", "servers.LocalNode",
        str(_HOME), str(folder), str(port), f"path.repo={folder / 'snapshots'}",
    ]
    # fmt: on
    url = f"http://127.0.0.1:{port}"
    program = Program(
        name="elasticsearch", version=version(), url=url, command=command, answers=_answers
    )
    with running(program, folder) as server:
        yield server


def version() -> str | None:
    built = next(_HOME.glob("lib/elasticsearch-[0-9]*.jar"), None)
    if built is None or shutil.which("java") is None:
        return None
    return built.stem.removeprefix("elasticsearch-")


def _answers(url: str) -> None:
    """Not before the indexes that it has can be searched."""
    health = f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s"
    httpx.get(health, timeout=3, trust_env=False).raise_for_status()
