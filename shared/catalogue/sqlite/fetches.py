"""What was fetched from where, as rows."""

import json
from collections.abc import Collection, Mapping

from shared.catalogue.fetches import REMEMBERED_MS
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
        self._store.write(
            lambda db: db.executemany("INSERT OR REPLACE INTO fetches VALUES (?, ?, ?, ?)", rows)
        )
