"""The door: everything that a catalogue does, in one file."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from shared.catalogue.sqlite.fetches import SqliteFetches
from shared.catalogue.sqlite.images import SqliteImages
from shared.catalogue.sqlite.imports import SqliteDeadLetters, SqliteImports
from shared.catalogue.sqlite.indexes import SqliteIndexes
from shared.catalogue.sqlite.models import SqliteModels
from shared.catalogue.sqlite.office import SqliteOffice
from shared.catalogue.sqlite.products import SqliteProducts
from shared.catalogue.sqlite.store import Store


def wall_milliseconds() -> int:
    return time.time_ns() // 1_000_000


class SqliteCatalogue:
    """Makes the file when there is none; several processes may open the same one."""

    def __init__(self, path: Path, *, clock: Callable[[], int] = wall_milliseconds) -> None:
        self._store = Store(path, clock)
        self.products = SqliteProducts(self._store)
        self.images = SqliteImages(self._store)
        self.imports = SqliteImports(self._store)
        self.dead = SqliteDeadLetters(self._store)
        self.indexes = SqliteIndexes(self._store)
        self.office = SqliteOffice(self._store)
        self.fetches = SqliteFetches(self._store)
        self.models = SqliteModels(self._store)

    @property
    def commits(self) -> int:
        """Transactions so far, which is fewer than writes where writes came together."""
        return self._store.commits

    def now(self) -> int:
        return self._store.now()

    def forget_leases(self) -> None:
        """Called by who is alone with the file: what a process held that is gone is free at once."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE chunks SET lease_until = 0 WHERE state = 'waiting' AND lease_until > 0"
            )
            db.execute("DELETE FROM leases WHERE name NOT LIKE 'every/%'")

        self._store.write(work)

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
