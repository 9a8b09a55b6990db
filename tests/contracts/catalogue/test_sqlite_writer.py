"""The one thread that writes: who waits together shares a commit, and nobody is answered before it."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from shared.catalogue.sqlite.store import MAX_GROUP, Store


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


def test_every_commit_is_synced_before_it_is_answered(store: Store) -> None:
    settings = [
        store.write(lambda db, name=name: db.execute(f"PRAGMA {name}").fetchone()[0])  # type: ignore[misc]
        for name in ("journal_mode", "synchronous")
    ]
    assert settings == ["wal", 2]


@pytest.mark.parametrize(("crowd", "groups"), [(40, 1), (MAX_GROUP + 1, 2)])
def test_writes_that_wait_together_share_one_commit_up_to_a_limit(
    store: Store, crowd: int, groups: int
) -> None:
    release = Event()
    before = store.commits
    holder = held(store, release)
    with ThreadPoolExecutor(crowd) as pool:
        futures = [pool.submit(add, store, number) for number in range(crowd)]
        wait_for_queue(store, crowd)
        release.set()
        for future in futures:
            future.result(timeout=30)
    holder.join()
    assert sorted(numbers(store)) == list(range(crowd))
    assert store.commits - before == 1 + groups, "the holder's commit comes on top"


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


def test_a_cursor_that_a_write_answers_is_closed_by_the_writer(store: Store) -> None:
    many = [(1,), (2,)]
    cursor = store.write(lambda db: db.executemany("INSERT INTO numbers VALUES (?)", many))
    assert cursor.rowcount == len(many)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        cursor.fetchone()


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
