"""What was fetched from where, as rows."""

import json
import sqlite3
from collections.abc import Collection, Mapping

from shared.catalogue.fetches import FORGOTTEN_AT_ONCE, REMEMBERED_MS
from shared.catalogue.sqlite.store import Store


class SqliteFetches:
    def __init__(self, store: Store) -> None:
        self._store = store

    def known(self, tenant: str, urls: Collection[str]) -> dict[str, str]:
        rows = self._store.all(
            "SELECT url, sha256 FROM fetches WHERE tenant = ? AND at >= ?"
            " AND url IN (SELECT value FROM json_each(?))",
            (tenant, self._store.now() - REMEMBERED_MS, json.dumps(list(urls))),
        )
        return dict(rows)

    def remember(self, tenant: str, found: Mapping[str, str]) -> None:
        now = self._store.now()
        rows = [(tenant, url, sha256, now) for url, sha256 in found.items()]

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "DELETE FROM fetches WHERE (tenant, url) IN"
                " (SELECT tenant, url FROM fetches WHERE at < ? ORDER BY at LIMIT ?)",
                (now - REMEMBERED_MS, FORGOTTEN_AT_ONCE),
            )
            db.executemany("INSERT OR REPLACE INTO fetches VALUES (?, ?, ?, ?)", rows)

        self._store.write(work)
