"""What only the SQLite adapter promises: one file, for several processes and for a process that dies."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shared.catalogue.images import ImageWrite
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Unavailable
from shared.jobs import Chunk, Import
from shared.products import BUCKETS

Write = Callable[..., ProductWrite]


def test_what_was_written_is_there_when_the_file_is_opened_again(
    path: Path, write: Write, picture: Callable[..., ImageWrite], clock: Any
) -> None:
    with SqliteCatalogue(path, clock=clock) as first:
        (outcome,) = first.products.upsert([write(urgent=True)])
        (image,) = first.images.put([picture(vectors=(("f1", b"\0\1"),))])
        secret = first.office.secret("pictures")
    with SqliteCatalogue(path, clock=clock) as second:
        assert second.products.page("shop") == [outcome.product]
        assert second.images.page() == [image]
        assert second.office.secret("pictures") == secret
        assert second.products.pending("shop", "one/segments", range(BUCKETS), 1) == ["p"]


def test_an_answered_write_survives_a_process_that_dies(path: Path) -> None:
    script = f"""
import os
from pathlib import Path
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
catalogue = SqliteCatalogue(Path({str(path)!r}))
assert catalogue.office.lease("sweep", "one", 1_000_000)
os._exit(1)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 1
    with SqliteCatalogue(path) as catalogue:
        assert not catalogue.office.lease("sweep", "two", 1)


def test_a_file_that_is_no_catalogue_is_refused_kindly(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 500)
    with pytest.raises(Unavailable, match="cannot be read"):
        SqliteCatalogue(path)


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="missing folder"):
        SqliteCatalogue(tmp_path / "nowhere" / "catalogue.db")


def test_operations_work_from_greenlets_of_one_thread(path: Path, write: Write, clock: Any) -> None:
    greenlet: Any = pytest.importorskip("greenlet")
    with SqliteCatalogue(path, clock=clock) as catalogue:
        main = greenlet.getcurrent()

        def worker(name: str) -> None:
            for turn in range(3):
                catalogue.products.upsert([write(name, title=f"{turn}")])
                main.switch()
                assert catalogue.products.get("shop", [name])[name].version == turn + 1

        workers = [greenlet.greenlet(lambda name=name: worker(name)) for name in "abc"]
        while any(not one.dead for one in workers):
            for one in workers:
                if not one.dead:
                    one.switch()
        assert catalogue.products.count("shop") == 3


def test_processes_make_and_write_one_file_together(path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from shared.catalogue.office import Upload
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
print("ready", flush=True)
sys.stdin.readline()
with SqliteCatalogue(Path({str(path)!r})) as catalogue:
    for number in range(100):
        name = sys.argv[1] + str(number)
        catalogue.office.put_upload(Upload(name, "shop", (), 1, "", "", 0, 0))
"""
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", script, name], stdin=pipe, stdout=pipe)
            )
            for name in "abcd"
        ]
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
        for process in started:
            assert process.stdin
            process.stdin.write(b"go\n")
            process.stdin.flush()
        assert [process.wait(timeout=60) for process in started] == [0] * 4
    with SqliteCatalogue(path) as catalogue:
        assert len(catalogue.office.uploads_before(1)) == 400


def test_closing_ends_the_writer_and_lets_go_of_the_file(path: Path, write: Write) -> None:
    before = set(threading.enumerate())
    catalogue = SqliteCatalogue(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: catalogue.products.count("shop"), range(50)))
    catalogue.close()
    catalogue.close()
    assert set(threading.enumerate()) <= before
    assert not path.with_name(path.name + "-wal").exists(), "the last connection tidies up"
    for operation in (
        lambda: catalogue.products.upsert([write()]),
        lambda: catalogue.products.count("shop"),
    ):
        with pytest.raises(Unavailable, match="was closed"):
            operation()


def test_who_is_alone_with_the_file_frees_what_a_dead_process_held(path: Path) -> None:
    job = Import("imp_1", "shop", "bson", "file", 10, 0, "running")
    with SqliteCatalogue(path) as killed:
        killed.imports.create(job)
        killed.imports.planned("imp_1", [Chunk("imp_1", 0, 0, 10, 1)], scanned=10)
        assert killed.imports.claim("imp_1", 0, 300_000) is not None
        assert killed.office.lease("reconciler", "killed", 300_000)
        assert killed.office.lease("every/audits", "killed", 300_000)
    with SqliteCatalogue(path) as next_one:
        assert next_one.imports.claim("imp_1", 0, 300_000) is None
        next_one.forget_leases()
        again = next_one.imports.claim("imp_1", 0, 300_000)
        assert again is not None
        assert again.attempts == 2
        assert next_one.office.lease("reconciler", "next", 1_000)
        assert not next_one.office.lease("every/audits", "next", 1_000)
