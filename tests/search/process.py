"""A search process that a test may hurt: `python -m tests.search.process FOLDER GROUP GROUPS PORT`."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from services.search.app import create_app
from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.runtime.http import serve
from tests.servers.process import Program, Server, free_port, running


@contextmanager
def search_process(folder: Path, group: int, groups: int, logs: Path) -> Iterator[Server]:
    """Ready, over the catalogue and the blobs in the folder."""
    port = free_port()
    arguments = [str(folder), str(group), str(groups), str(port)]
    program = Program(
        name="search",
        version="ours",
        url=f"http://127.0.0.1:{port}",
        command=[sys.executable, "-m", "tests.search.process", *arguments],
        answers=_answers,
    )
    with running(program, logs) as server:
        yield server


def _answers(url: str) -> None:
    with urllib.request.urlopen(f"{url}/readyz", timeout=1) as answer:  # noqa: S310 - ours
        assert json.load(answer) == {"status": "ready"}


def main(folder: Path, group: int, groups: int, port: int) -> None:
    with SqliteCatalogue(folder / "catalogue.db") as catalogue:
        blobs = FsspecBlobs(f"file://{folder}/blobs")
        with (
            closing(
                Shards(catalogue, blobs, replica=f"{port}", group=group, groups=groups)
            ) as shards,
            closing(LocalSearcher(shards, annoy=False)) as searcher,
        ):
            shards.start()
            serve(create_app(searcher, shards), "127.0.0.1", port)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
