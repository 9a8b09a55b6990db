"""One file, one writer thread, many readers.

Writes that wait at the same time share one transaction and so one fsync; each has its own
savepoint, and nobody is answered before the commit.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from shared.catalogue.sqlite.schema import migrate
from shared.errors import Unavailable

T = TypeVar("T")
Row = tuple[Any, ...]

BUSY_MS = 30_000
"""How long to wait for another process that is writing."""
WRITER_CACHE_KIB = 32 * 1024
READER_CACHE_KIB = 4 * 1024
"""There are as many readers as threads that read at once; what they miss, the system's page cache has."""
MAX_GROUP = 256
"""Writes in one transaction at most, so that the first of them is not kept waiting."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One write on its way: what to do, and the future that its caller waits for."""

    work: Callable[[sqlite3.Connection], Any]
    done: "Future[Any]" = field(default_factory=Future)


class Store:
    """Runs writes on its own thread, in order, and reads on whatever thread asks."""

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        self.now = clock
        self.commits = 0
        """Transactions so far; fewer than writes, where writes came together."""
        self._path = path
        self._lock = threading.Lock()
        self._closed = False
        self._idle: deque[sqlite3.Connection] = deque()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        with _told(path):
            self._db = self._connect(WRITER_CACHE_KIB)
        try:
            with _told(path):
                migrate(self._db, path)
        except BaseException:
            self._db.close()
            raise
        self._writer = threading.Thread(target=self._run, name="catalogue-writer", daemon=True)
        self._writer.start()

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` answers, once it is on disk; what it raises leaves no trace."""
        job = _Job(work)
        with self._lock:
            self._refuse_when_closed()
            self._jobs.put(job)
        with _told(self._path):
            answer: T = job.done.result()
        return answer

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of the caller's own that sees one committed state."""
        self._refuse_when_closed()
        with _told(self._path):
            db = self._reader()
            try:
                db.execute("BEGIN")
                try:
                    yield db
                finally:
                    db.execute("ROLLBACK")
            finally:
                self._put_away(db)

    def all(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with self.reading() as db:
            return db.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        found = self.all(sql, values)
        return found[0] if found else None

    def close(self) -> None:
        """Finishes the writes that wait, then ends the thread; a second time does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._writer.join()
        while self._idle:
            self._idle.pop().close()
        self._db.close()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Unavailable(f"The catalogue {self._path} was closed: open it again.")

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path,
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,  # handed from thread to thread, never shared
            cached_statements=256,
        )
        try:
            _use_wal(db)
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA cache_size = -{cache_kib}")
        except BaseException:
            db.close()
            raise
        return db

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect(READER_CACHE_KIB)

    def _put_away(self, db: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(db)
                return
        db.close()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            group, last = self._waiting(first)
            self._commit(group)
            if last:
                return

    def _waiting(self, first: _Job) -> tuple[list[_Job], bool]:
        """Whatever waits beside the first, and whether the end of all work was among it."""
        group = [first]
        with suppress(Empty):
            while len(group) < MAX_GROUP:
                job = self._jobs.get_nowait()
                if job is None:
                    return group, True
                group.append(job)
        return group, False

    def _commit(self, group: list[_Job]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            answers = [self._attempt(job) for job in group]
            self._db.execute("COMMIT")
            self.commits += 1
        except BaseException as error:  # noqa: BLE001 - whoever waits has to hear of it
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            answers = [_failing(job, error) for job in group]
        for answer in answers:
            answer()

    def _attempt(self, job: _Job) -> Callable[[], None]:
        """Does one write inside the transaction; how to answer its caller after the commit."""
        self._db.execute("SAVEPOINT one")
        try:
            result = job.work(self._db)
            if isinstance(result, sqlite3.Cursor):
                # Let go of elsewhere, it would reset a statement that this thread is stepping through.
                result.close()
        except Exception as error:  # noqa: BLE001 - it is its caller's
            self._db.execute("ROLLBACK TO one")
            return _failing(job, error)
        finally:
            self._db.execute("RELEASE one")
        return lambda: job.done.set_result(result)


def _failing(job: _Job, error: BaseException) -> Callable[[], None]:
    return lambda: job.done.set_exception(error)


def _use_wal(db: sqlite3.Connection) -> None:
    """SQLite's own wait for a lock does not cover two processes that make the same new file."""
    give_up = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(0.005)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's troubles in the words of this project."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(
            f"The catalogue {path} does not answer ({error}): look for a full disk, a missing "
            "folder, or another process that holds it."
        ) from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise Unavailable(
            f"The catalogue {path} cannot be read ({error}): restore it from a backup."
        ) from error
