"""What was fetched from where, a document a URL."""

from collections.abc import Collection, Mapping

from pymongo import ReplaceOne

from shared.catalogue.fetches import FORGOTTEN_AT_ONCE, REMEMBERED_MS
from shared.catalogue.mongo.documents import key_of
from shared.catalogue.mongo.store import TAKEN, Document, Store


class MongoFetches:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents = store.documents("fetches")

    def known(self, tenant: str, urls: Collection[str]) -> dict[str, str]:
        these = {"$in": [key_of(tenant, url) for url in urls]}
        lately = {"$gte": self._store.now() - REMEMBERED_MS}
        found = self._documents.find({"_id": these, "at": lately})
        return {doc["url"]: doc["sha256"] for doc in found}

    def remember(self, tenant: str, found: Mapping[str, str]) -> None:
        now = self._store.now()
        documents: list[Document] = [
            {"_id": key_of(tenant, url), "tenant": tenant, "url": url, "sha256": sha256, "at": now}
            for url, sha256 in found.items()
        ]
        writes = [ReplaceOne({"_id": doc["_id"]}, doc, upsert=True) for doc in documents]
        if writes:
            # Two that fetched the same at the same time know the same: one of them is enough.
            self._documents.bulk(writes, frozenset({TAKEN}))
            self._forget(now - REMEMBERED_MS)

    def _forget(self, before: int) -> None:
        old = {"at": {"$lt": before}}
        found = self._documents.find(old, ["_id"], sort=[("at", 1)], limit=FORGOTTEN_AT_ONCE)
        if found:
            self._documents.delete_all(old | {"_id": {"$in": [doc["_id"] for doc in found]}})
