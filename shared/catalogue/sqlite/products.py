"""Products: every write reads the document, decides, and saves it, inside the writer's transaction."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Final

from shared.catalogue import changes
from shared.catalogue.following import Change, Following, strides
from shared.catalogue.products import BucketDigest, Outcome, ProductWrite
from shared.catalogue.sqlite.documents import COLUMNS, erase, load, product_of, save
from shared.catalogue.sqlite.store import Store
from shared.catalogue.texts import category_key, category_of
from shared.products import Attributes, Product, revision_digest

_UNSEEN: Final = "NOT deleted AND (date ->> '$[0]') < ?"


class SqliteProducts(Following):
    def __init__(self, store: Store) -> None:
        self._store = store

    def upsert(self, writes: Sequence[ProductWrite]) -> list[Outcome]:
        def work(db: sqlite3.Connection) -> list[Outcome]:
            return [self._upsert(db, write) for write in writes]

        return self._store.write(work) if writes else []

    def _upsert(self, db: sqlite3.Connection, write: ProductWrite) -> Outcome:
        now = self._store.now()
        # The writer's transaction holds the document still between the look and the write.
        # rule: duplicate_key_retries
        before = load(db, write.tenant, write.product_id)
        return _saved(db, before, changes.upserted(before, write, now), now)

    def patch(
        self,
        tenant: str,
        product_id: str,
        *,
        revision: int,
        attributes: Attributes,
        targets: frozenset[str],
        not_after: int,
    ) -> Outcome:
        def work(db: sqlite3.Connection) -> Outcome:
            now, before = self._store.now(), load(db, tenant, product_id)
            outcome = changes.patched(
                before, attributes, targets, revision=revision, not_after=not_after, now=now
            )
            return _saved(db, before, outcome, now)

        return self._store.write(work)

    def delete(
        self,
        tenant: str,
        product_id: str,
        *,
        targets: frozenset[str],
        not_after: int,
        if_version: int | None = None,
    ) -> Outcome:
        def work(db: sqlite3.Connection) -> Outcome:
            now, before = self._store.now(), load(db, tenant, product_id)
            outcome = changes.tombstoned(
                before, targets, if_version=if_version, not_after=not_after, now=now
            )
            return _saved(db, before, outcome, now)

        return self._store.write(work)

    def get(self, tenant: str, product_ids: Collection[str]) -> dict[str, Product]:
        rows = self._store.all(
            f"SELECT {COLUMNS} FROM products WHERE tenant = ?"  # noqa: S608
            " AND product_id IN (SELECT value FROM json_each(?))",
            (tenant, json.dumps(list(product_ids))),
        )
        return {product.product_id: product for product in map(product_of, rows)}

    def page(self, tenant: str, after: str = "", limit: int = 500) -> list[Product]:
        rows = self._store.all(
            f"SELECT {COLUMNS} FROM products WHERE tenant = ? AND product_id > ?"  # noqa: S608
            " ORDER BY product_id LIMIT ?",
            (tenant, after, limit),
        )
        return [product_of(row) for row in rows]

    def unseen(self, tenant: str, before: int, limit: int, after: str = "") -> list[str]:
        rows = self._store.all(
            "SELECT product_id FROM products WHERE tenant = ? AND product_id > ?"  # noqa: S608
            f" AND {_UNSEEN} ORDER BY product_id LIMIT ?",
            (tenant, after, before, limit),
        )
        return [product_id for (product_id,) in rows]

    def count_unseen(self, tenant: str, before: int) -> int:
        found = self._store.one(
            f"SELECT count(*) FROM products WHERE tenant = ? AND {_UNSEEN}",  # noqa: S608
            (tenant, before),
        )
        return found[0] if found else 0

    def pending(
        self, tenant: str, target: str, buckets: range, limit: int, after: str = ""
    ) -> list[str]:
        found: list[str] = []
        with self._store.reading() as db:
            for urgent in (True, False):
                rows = db.execute(
                    "SELECT product_id FROM pending WHERE target = ? AND tenant = ?"
                    " AND urgent = ? AND product_id > ? AND bucket >= ? AND bucket < ?"
                    " ORDER BY product_id LIMIT ?",
                    (target, tenant, urgent, after, *_ends(buckets), limit - len(found)),
                )
                found.extend(product_id for (product_id,) in rows)
        return found

    def bump_showing(
        self, tenant: str, sha256s: Collection[str], *, targets: frozenset[str], not_after: int
    ) -> int | None:
        def work(db: sqlite3.Connection) -> int | None:
            now = self._store.now()
            if now > not_after:  # rule: write_deadline
                return None
            showing = db.execute(
                "SELECT DISTINCT product_id FROM shows"
                " WHERE tenant = ? AND sha256 IN (SELECT value FROM json_each(?))",
                (tenant, json.dumps(list(sha256s))),
            ).fetchall()
            for (product_id,) in showing:
                if before := load(db, tenant, product_id):
                    # rule: arrival_bumps
                    save(db, before, changes.bumped(before, targets, now, images=True), now)
            return len(showing)

        return self._store.write(work)

    def shown(self, tenant: str, sha256: str) -> bool:
        found = self._store.one(
            "SELECT 1 FROM shows JOIN products USING (tenant, product_id)"
            " WHERE shows.tenant = ? AND sha256 = ? AND NOT deleted LIMIT 1",
            (tenant, sha256),
        )
        return found is not None

    def showing(self, tenant: str, sha256s: Collection[str], each: int) -> dict[str, list[str]]:
        sql = (
            "SELECT product_id FROM shows JOIN products USING (tenant, product_id)"
            " WHERE shows.tenant = ? AND sha256 = ? AND NOT deleted ORDER BY product_id LIMIT ?"
        )
        with self._store.reading() as db:
            found = {one: db.execute(sql, (tenant, one, each)).fetchall() for one in sha256s}
        return {sha256: [product_id for (product_id,) in rows] for sha256, rows in found.items()}

    def tombstones(self, written_before: int, limit: int) -> list[Product]:
        rows = self._store.all(
            # rule: tombstone_confirmed
            f"SELECT {COLUMNS} FROM products"  # noqa: S608
            " WHERE deleted AND pending = '[]' AND written < ? ORDER BY written LIMIT ?",
            (written_before, limit),
        )
        return [product_of(row) for row in rows]

    def remove(self, tenant: str, product_id: str, *, revision: int, written: int) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            doc = load(db, tenant, product_id)
            if doc is None or (doc.revision, doc.written) != (revision, written):
                return False
            if doc.pending or not doc.deleted:  # rule: removal_guarded
                return False
            erase(db, doc)
            return True

        return self._store.write(work)

    def digests(self, tenant: str, target: str, buckets: range) -> list[BucketDigest]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT bucket, product_id, revision FROM products AS p"
                " WHERE tenant = ? AND bucket >= ? AND bucket < ? AND NOT deleted"
                " AND NOT EXISTS (SELECT 1 FROM pending WHERE target = ? AND tenant = p.tenant"
                " AND urgent IN (0, 1) AND product_id = p.product_id) ORDER BY bucket",
                (tenant, *_ends(buckets), target),
            )
            return [_digest(bucket, group) for bucket, group in groupby(rows, lambda row: row[0])]

    def count(self, tenant: str) -> int:
        found = self._store.one(
            "SELECT count(*) FROM products WHERE tenant = ? AND NOT deleted", (tenant,)
        )
        return found[0] if found else 0

    def count_pending(self, target: str) -> tuple[int, int | None]:
        found = self._store.one(
            "SELECT count(*), min(since) FROM pending WHERE target = ?", (target,)
        )
        return (found[0], found[1]) if found else (0, None)

    def categories(self, tenant: str) -> dict[tuple[str, ...], int]:
        rows = self._store.all(
            "SELECT category, count(*) FROM products"
            " WHERE tenant = ? AND NOT deleted AND category <> ? GROUP BY category",
            (tenant, category_key(())),
        )
        return {category_of(category): number for category, number in rows}

    def each(
        self,
        tenant: str,
        product_ids: Iterable[str],
        change: Change,
        not_after: int | None = None,  # noqa: ARG002 - the transaction's clock is the change's
    ) -> list[str]:
        return [
            product_id
            for stride in strides(product_ids)
            for product_id in self._store.write(
                lambda db, stride=stride: self._change(db, tenant, stride, change)  # type: ignore[misc]
            )
        ]

    def _change(
        self,
        db: sqlite3.Connection,
        tenant: str,
        product_ids: Sequence[str],
        change: Change,
    ) -> list[str]:
        refused: list[str] = []
        for product_id in product_ids:
            now, before = self._store.now(), load(db, tenant, product_id)
            after = change(before, now) if before else None
            if after is None:
                refused.append(product_id)
            else:
                save(db, before, after, now)
        return refused


def _saved(db: sqlite3.Connection, before: Product | None, outcome: Outcome, now: int) -> Outcome:
    if outcome.accepted and outcome.product:
        save(db, before, outcome.product, now)
    return outcome


def _digest(bucket: int, rows: Iterable[tuple[int, str, int]]) -> BucketDigest:
    parts = [revision_digest(product_id, revision) for _, product_id, revision in rows]
    return BucketDigest(bucket, len(parts), sum(parts) % 2**63)


def _ends(buckets: range) -> tuple[int, int]:
    return buckets.start, buckets.stop
