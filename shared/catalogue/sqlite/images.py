"""Images, and how far each is for each fingerprint.

Every image has a row in `embeddings` for every fingerprint that was ever asked for, so that what
is left to be done is an index and never a search through what is done.
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from functools import partial

from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.sqlite.pictures import (
    COLUMNS,
    EMBEDDING,
    THESE,
    THIS,
    add_missing,
    by_sha256,
    claim_of,
    images_where,
    is_there,
    register,
    store_vector,
    where,
    with_embeddings,
)
from shared.catalogue.sqlite.store import Store
from shared.images import Claim, Image, Place


class SqliteImages:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: set[str] = set()

    def touch(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]:
        these = (tenant, json.dumps(list(sha256s)))

        def work(db: sqlite3.Connection) -> dict[str, Image]:
            db.execute(
                f"UPDATE images SET touched = ?, doomed = NULL WHERE {THESE}",  # noqa: S608
                (self._store.now(), *these),
            )
            return by_sha256(images_where(db, THESE, these))  # rule: touch_tests

        return self._store.write(work) if sha256s else {}

    def put(self, writes: Sequence[ImageWrite]) -> list[Image | None]:
        def work(db: sqlite3.Connection) -> list[Image | None]:
            return [self._put(db, write) for write in writes]

        return self._store.write(work) if writes else []

    def _put(self, db: sqlite3.Connection, write: ImageWrite) -> Image | None:
        now, key = self._store.now(), (write.tenant, write.sha256)
        if now > write.not_after:  # rule: write_deadline
            return None
        made = db.execute(
            f"INSERT INTO images ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"  # noqa: S608
            " ON CONFLICT DO NOTHING",  # rule: blob_key_once
            (
                *(*key, *where(write.place), write.media_type, write.width, write.height, now),
                *(write.phash, *where(write.thumbnail)),
            ),
        ).rowcount
        if made:
            db.execute(
                "INSERT INTO embeddings (tenant, sha256, fingerprint)"
                " SELECT ?, ?, fingerprint FROM fingerprints",
                key,
            )
        else:
            db.execute(
                f"UPDATE images SET touched = ?, doomed = NULL WHERE {THIS}",  # noqa: S608
                (now, *key),
            )
            add_missing(db, key, write.phash, write.thumbnail)
        for fingerprint, vector in write.vectors:
            store_vector(db, key, fingerprint, vector)
        return images_where(db, THIS, key)[0]

    def get(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]:
        with self._store.reading() as db:
            return by_sha256(images_where(db, THESE, (tenant, json.dumps(list(sha256s)))))

    def page(self, after: tuple[str, str] = ("", ""), limit: int = 500) -> list[Image]:
        with self._store.reading() as db:
            rows = db.execute(
                f"SELECT {COLUMNS} FROM images WHERE (tenant, sha256) > (?, ?)"  # noqa: S608
                " ORDER BY tenant, sha256 LIMIT ?",
                (*after, limit),
            ).fetchall()
            return with_embeddings(db, rows)

    def hashes(self, tenant: str, after: str, limit: int) -> list[tuple[str, str, str]]:
        return self._store.all(
            "SELECT sha256, phash, blob FROM images"
            " WHERE tenant = ? AND sha256 > ? AND phash IS NOT NULL ORDER BY sha256 LIMIT ?",
            (tenant, after, limit),
        )

    def vectors(self, tenant: str, sha256s: Collection[str], fingerprint: str) -> dict[str, bytes]:
        return dict(
            self._store.all(
                f"SELECT sha256, vector FROM embeddings WHERE {THESE}"  # noqa: S608
                " AND fingerprint = ? AND vector IS NOT NULL",
                (tenant, json.dumps(list(sha256s)), fingerprint),
            )
        )

    def claimable(
        self,
        fingerprint: str,
        limit: int,
        *,
        tenant: str | None = None,
        images: Collection[str] = (),
    ) -> list[Claim]:
        self._ask_for(fingerprint)
        wanted = "fingerprint = ? AND open AND lease_until < ?"
        values: list[object] = [fingerprint, self._store.now()]
        if tenant is not None:
            wanted += " AND tenant = ?"
            values.append(tenant)
        if images:
            wanted += " AND sha256 IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(list(images)))
        rows = self._store.all(
            "SELECT tenant, sha256, fingerprint, blob, start, length, attempts, unannounced"  # noqa: S608
            f" FROM embeddings JOIN images USING (tenant, sha256) WHERE {wanted}"
            " ORDER BY attempts, tenant, sha256 LIMIT ?",
            (*values, limit),
        )
        return [claim_of(row) for row in rows]

    def claim(self, found: Claim, lease_ms: int) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            now = self._store.now()
            taken = db.execute(
                "UPDATE embeddings SET attempts = attempts + 1, lease_until = ?"  # noqa: S608
                f" WHERE {EMBEDDING} AND attempts = ? AND lease_until < ?",
                (
                    *(now + lease_ms, found.tenant, found.sha256, found.fingerprint),
                    *(found.attempts, now),
                ),
            )
            return taken.rowcount == 1

        return self._store.write(work)

    def store_vector(self, write: VectorWrite) -> bool:
        key = (write.tenant, write.sha256)

        def work(db: sqlite3.Connection) -> bool:
            if not is_there(db, key):
                return False
            store_vector(db, key, write.fingerprint, write.vector)
            add_missing(db, key, write.phash, write.thumbnail)
            return True

        return self._store.write(work)

    def store_verdict(
        self, tenant: str, sha256: str, fingerprint: str, *, place: Place, error: str
    ) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            there = f"{THIS} AND (blob, start, length) = (?, ?, ?)"
            if not is_there(db, (tenant, sha256, *where(place)), there):  # rule: verdict_guarded
                return False
            stored = db.execute(
                "INSERT INTO embeddings (tenant, sha256, fingerprint, error, unannounced)"
                " VALUES (?, ?, ?, ?, 1) ON CONFLICT (tenant, sha256, fingerprint) DO UPDATE"
                # rule: announce
                " SET error = excluded.error, unannounced = 1 WHERE vector IS NULL",
                (tenant, sha256, fingerprint, error),
            )
            return stored.rowcount == 1

        return self._store.write(work)

    def forget_verdict(self, tenant: str, sha256: str, fingerprint: str) -> bool:
        return self._changed(
            "UPDATE embeddings SET attempts = 0, lease_until = 0, error = NULL, unannounced = 0"  # noqa: S608
            f" WHERE {EMBEDDING} AND error IS NOT NULL",
            (tenant, sha256, fingerprint),
        )

    def announced(self, tenant: str, sha256s: Collection[str], fingerprint: str) -> None:
        self._changed(
            f"UPDATE embeddings SET unannounced = 0 WHERE {THESE} AND fingerprint = ?",  # noqa: S608
            (tenant, json.dumps(list(sha256s)), fingerprint),
        )

    def unembedded(self, fingerprint: str, tenant: str) -> int:
        self._ask_for(fingerprint)
        found = self._store.one(
            "SELECT count(*) FROM embeddings WHERE fingerprint = ? AND open AND tenant = ?",
            (fingerprint, tenant),
        )
        return found[0] if found else 0

    def doom(self, tenant: str, sha256: str, *, touched: int) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            doomed = db.execute(
                f"UPDATE images SET doomed = ? WHERE {THIS} AND touched = ?",  # noqa: S608
                (self._store.now(), tenant, sha256, touched),
            )
            return doomed.rowcount == 1

        return self._store.write(work)

    def remove(self, tenant: str, sha256: str, *, touched: int, doomed: int | None) -> Image | None:
        def work(db: sqlite3.Connection) -> Image | None:
            # rule: sweep_untouched
            found = images_where(
                db, f"{THIS} AND touched = ? AND doomed IS ?", (tenant, sha256, touched, doomed)
            )
            for table in ("images", "embeddings") if found else ():
                db.execute(f"DELETE FROM {table} WHERE {THIS}", (tenant, sha256))  # noqa: S608
            return found[0] if found else None

        return self._store.write(work)

    def names_blob(self, blob: str) -> bool:
        found = self._store.one(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM images WHERE blob = ?)"
            " OR EXISTS (SELECT 1 FROM images WHERE thumbnail_blob = ?)",
            (blob, blob),
        )
        return found is not None

    def count(self, tenant: str) -> int:
        found = self._store.one("SELECT count(*) FROM images WHERE tenant = ?", (tenant,))
        return found[0] if found else 0

    def _changed(self, sql: str, values: Sequence[object]) -> bool:
        return self._store.write(lambda db: db.execute(sql, values).rowcount == 1)

    def _ask_for(self, fingerprint: str) -> None:
        """From the first question on, every image has a row for the fingerprint."""
        if fingerprint not in self._asked:
            self._store.write(partial(register, fingerprint=fingerprint))
            self._asked.add(fingerprint)
