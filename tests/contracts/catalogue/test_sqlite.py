"""What only the SQLite adapter promises: its file, its writer, its indexes."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from shared.catalogue.images import ImageWrite
from shared.catalogue.office import Part, Upload
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.sqlite.schema import MIGRATIONS
from shared.catalogue.sqlite.store import MAX_GROUP, Store
from shared.errors import Conflict, Unavailable
from shared.jobs import Chunk, Counters, Import
from shared.products import BUCKETS

Write = Callable[..., ProductWrite]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path, lambda: 0)) as opened:
        opened.write(lambda db: db.execute("CREATE TABLE numbers (number INTEGER UNIQUE)"))
        yield opened


def add(store: Store, number: int) -> None:
    store.write(lambda db: db.execute("INSERT INTO numbers VALUES (?)", (number,)))


def numbers(store: Store) -> list[int]:
    return [number for (number,) in store.all("SELECT number FROM numbers ORDER BY number")]


def held(store: Store, release: Event) -> threading.Thread:
    """A write that keeps the writer busy, so that others come to wait together."""
    started = Event()

    def wait(_: sqlite3.Connection) -> None:
        started.set()
        assert release.wait(30)

    thread = threading.Thread(target=store.write, args=(wait,))
    thread.start()
    assert started.wait(30)
    return thread


def wait_for_queue(store: Store, length: int) -> None:
    for _ in range(10_000):
        if store._jobs.qsize() >= length:
            return
        threading.Event().wait(0.001)
    pytest.fail(f"only {store._jobs.qsize()} of {length} writes came to wait")


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


def test_a_file_of_a_later_schema_is_refused_and_left_alone(path: Path) -> None:
    SqliteCatalogue(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(Conflict, match=r"schema 99.*upgrade Lookalike") as refused:
        SqliteCatalogue(path)
    assert refused.value.kind == "newer_schema"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)


def test_an_upload_of_the_first_schema_is_one_of_a_single_part(path: Path) -> None:
    names = {"upload_id": "u", "tenant": "shop", "blob": "b", "media_type": "image/png"}
    body = {**names, "size": 7, "sha256": "a" * 64, "created": 5}
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
        db.execute("INSERT INTO uploads VALUES ('u', 'shop', 'b', 5, ?)", (json.dumps(body),))
        db.commit()
    with SqliteCatalogue(path) as catalogue:
        expected = Upload("u", "shop", (Part("b", 7),), 7, "a" * 64, "image/png", 5, 5)
        assert catalogue.office.upload("shop", "u") == expected
        assert catalogue.office.upload_names_blob("b")
        assert catalogue.office.append_part("u", 0, Part("c", 1)) is None


def test_an_import_of_the_first_schema_goes_on(path: Path) -> None:
    body = {"format": "bson", "source": "b", "size": 900, "categories": [], "limit": 5}
    old = {"imported": 60, "unchanged": 1, "superseded": 1, "duplicate": 1, "failed": 1}
    counters = json.dumps(old | {"pictures": 90, "embedded": 80})
    none = json.dumps(dict.fromkeys([*old, "pictures", "embedded"], 0))
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
        imports = ("i", "shop", 5, "running", 200, 1, None, json.dumps(body))
        db.execute("INSERT INTO imports VALUES (?, ?, ?, ?, ?, ?, ?, ?)", imports)
        chunks = [("i", 0, 0, 100, 64, "done", 1, 0, counters)]
        chunks += [("i", 1, 100, 100, 64, "waiting", 0, 0, none)]
        db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", chunks)
        db.commit()
    with SqliteCatalogue(path) as catalogue:
        found = catalogue.imports.get("i")
        assert found is not None
        assert (found.options.limit, found.chunks, found.records) == (5, 2, 128)
        assert [chunk.number for chunk in catalogue.imports.waiting("i", 9)] == [1]
        assert catalogue.imports.tally("i").counters == Counters(
            60, 1, 1, 1, 1, pictures=90, embedded=80
        )


def test_a_file_that_is_no_catalogue_is_refused_kindly(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 500)
    with pytest.raises(Unavailable, match="cannot be read"):
        SqliteCatalogue(path)


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="missing folder"):
        SqliteCatalogue(tmp_path / "nowhere" / "catalogue.db")


def test_every_commit_is_synced_before_it_is_answered(store: Store) -> None:
    settings = [
        store.write(lambda db, name=name: db.execute(f"PRAGMA {name}").fetchone()[0])  # type: ignore[misc]
        for name in ("journal_mode", "synchronous")
    ]
    assert settings == ["wal", 2]


def test_writes_that_wait_together_share_one_commit(store: Store) -> None:
    release, crowd = Event(), 40
    before = store.commits
    holder = held(store, release)
    with ThreadPoolExecutor(crowd) as pool:
        futures = [pool.submit(add, store, number) for number in range(crowd)]
        wait_for_queue(store, crowd)
        release.set()
        for future in futures:
            future.result(timeout=30)
    holder.join()
    assert numbers(store) == list(range(crowd))
    assert store.commits - before == 2, "one for the holder, one for all who waited"


def test_a_group_has_a_limit(store: Store) -> None:
    release, crowd = Event(), MAX_GROUP + 1
    before = store.commits
    holder = held(store, release)
    with ThreadPoolExecutor(crowd) as pool:
        futures = [pool.submit(add, store, number) for number in range(crowd)]
        wait_for_queue(store, crowd)
        release.set()
        for future in futures:
            future.result(timeout=30)
    holder.join()
    assert store.commits - before == 3


def test_a_write_that_fails_hurts_no_other_of_its_group(store: Store) -> None:
    release = Event()
    before = store.commits
    holder = held(store, release)

    def half(number: int) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO numbers VALUES (?)", (number,))
            if number % 2:
                raise ValueError(number)

        store.write(work)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(half, number) for number in range(8)]
        wait_for_queue(store, 8)
        release.set()
        failures = [future.exception(timeout=30) for future in futures]
    holder.join()
    assert [type(failure) for failure in failures] == [type(None), ValueError] * 4
    assert numbers(store) == [0, 2, 4, 6]
    assert store.commits - before == 2


def test_a_commit_that_fails_is_told_to_everyone_who_waited(store: Store) -> None:
    store._db.execute("PRAGMA foreign_keys = ON")
    child = "CREATE TABLE children (id INTEGER REFERENCES numbers (number) {})"
    store.write(lambda db: db.execute(child.format("DEFERRABLE INITIALLY DEFERRED")))
    release = Event()
    holder = held(store, release)
    with ThreadPoolExecutor(2) as pool:
        # A deferred constraint is checked by the commit itself.
        orphan = pool.submit(store.write, lambda db: db.execute("INSERT INTO children VALUES (7)"))
        futures = [orphan, pool.submit(add, store, 2)]
        wait_for_queue(store, 2)
        release.set()
        failures = [future.exception(timeout=30) for future in futures]
    holder.join()
    assert [type(failure) for failure in failures] == [sqlite3.IntegrityError] * 2
    assert numbers(store) == []
    add(store, 3)
    assert numbers(store) == [3]


def test_an_answer_is_given_only_after_the_commit(store: Store) -> None:
    release, started, go_on = Event(), Event(), Event()

    def linger(_: sqlite3.Connection) -> None:
        started.set()
        assert go_on.wait(30)

    holder = held(store, release)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(add, store, 1)
        wait_for_queue(store, 1)
        second = pool.submit(store.write, linger)
        wait_for_queue(store, 2)
        release.set()
        assert started.wait(30)
        assert not first.done(), "the group that it belongs to is not committed"
        assert numbers(store) == []
        go_on.set()
        for future in (first, second):
            future.result(timeout=30)
    holder.join()
    assert numbers(store) == [1]


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


def test_a_cursor_that_a_write_answers_is_closed_by_the_writer(store: Store) -> None:
    many = [(1,), (2,)]
    cursor = store.write(lambda db: db.executemany("INSERT INTO numbers VALUES (?)", many))
    assert cursor.rowcount == len(many)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        cursor.fetchone()


def test_closing_ends_the_writer_and_lets_go_of_the_file(path: Path, write: Write) -> None:
    threads = threading.active_count()
    catalogue = SqliteCatalogue(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: catalogue.products.count("shop"), range(50)))
    catalogue.close()
    catalogue.close()
    assert threading.active_count() == threads
    assert not path.with_name(path.name + "-wal").exists(), "the last connection tidies up"
    for operation in (
        lambda: catalogue.products.upsert([write()]),
        lambda: catalogue.products.count("shop"),
    ):
        with pytest.raises(Unavailable, match="was closed"):
            operation()


def test_closing_finishes_the_writes_that_wait(store: Store, path: Path) -> None:
    release = Event()
    holder = held(store, release)
    with ThreadPoolExecutor(9) as pool:
        futures = [pool.submit(add, store, number) for number in range(8)]
        wait_for_queue(store, 8)
        closed = pool.submit(store.close)
        wait_for_queue(store, 9)
        release.set()
        for future in (*futures, closed):
            future.result(timeout=30)
    holder.join()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM numbers").fetchone() == (8,)


def test_readers_take_turns_with_few_connections(store: Store) -> None:
    for _ in range(50):
        numbers(store)
    assert len(store._idle) == 1


def test_no_lookup_walks_a_whole_table(path: Path, write: Write, clock: Any) -> None:
    """Counts may walk an index; documents, pending and embeddings are always sought."""
    asked: list[str] = []
    with SqliteCatalogue(path, clock=clock) as catalogue:
        store = catalogue._store
        with store.reading() as db:
            db.set_trace_callback(asked.append)
        store._db.set_trace_callback(asked.append)
        look_everything_up(catalogue, write, clock)
        store._db.set_trace_callback(None)
        store._idle[0].set_trace_callback(None)
        plans = {sql: plan(store._db, sql) for sql in set(asked) if sql.lstrip()[:6] in VERBS}
    assert len(plans) > 20
    assert {sql: steps for sql, steps in plans.items() if walks(steps)} == {}


VERBS = ("SELECT", "UPDATE", "DELETE")


def plan(db: sqlite3.Connection, sql: str) -> list[str]:
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]


def walks(steps: list[str]) -> list[str]:
    return [
        step
        for step in steps
        if ("SCAN" in step and "json_each" not in step and "CONSTANT" not in step)
        or "TEMP B-TREE FOR ORDER" in step
    ]


def look_everything_up(catalogue: SqliteCatalogue, write: Write, clock: Any) -> None:
    products, images, imports = catalogue.products, catalogue.images, catalogue.imports
    products.upsert([write()])
    products.upsert([write(title="Changed", urgent=True)])
    products.get("shop", ["p"])
    products.page("shop")
    products.pending("shop", "one/segments", range(9), 9)
    products.mark("shop", "one/segments", [("p", 1)])
    products.bump_showing("shop", ["a" * 64], targets=frozenset(), not_after=clock())
    products.shown("shop", "a" * 64)
    products.showing("shop", ["a" * 64], 9)
    products.tombstones(0, 9)
    products.digests("shop", "one/segments", range(9))
    products.count("shop")
    products.count_pending("one/segments")
    products.categories("shop")
    images.claimable("f1", 9)
    images.claimable("f1", 9, tenant="shop", images=["a"])
    images.unembedded("f1", "shop")
    images.names_blob("blob")
    images.touch("shop", ["a"])
    images.get("shop", ["a"])
    images.page()
    images.hashes("shop", "", 9)
    images.vectors("shop", ["a" * 64], "f1")
    images.count("shop")
    images.announced("shop", ["a"], "f1")
    imports.waiting("i", 9)
    imports.recent("shop")
    catalogue.dead.page("shop", source="i")
    catalogue.office.uploads_before(9)
    catalogue.office.upload("shop", "u")
    catalogue.office.append_part("u", 0, Part("blob", 1))
    catalogue.office.declare_size("u", 1)
    catalogue.office.drop_upload("u")
    catalogue.office.upload_names_blob("blob")
    catalogue.office.jobs("shop")
    catalogue.fetches.known("shop", ["https://cdn.example/lamp.jpg"])
    catalogue.fetches.remember("shop", {"https://cdn.example/lamp.jpg": "a" * 64})


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
