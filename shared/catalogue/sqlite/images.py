"""Images, and how far each is for each fingerprint.

Every image has a row in `embeddings` for every fingerprint that was ever asked for, so that what
is left to be done is an index and never a search through what is done.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.sqlite.store import Row, Store
from shared.images import Claim, Image, Place, Progress

_COLUMNS: Final = (
    "tenant, sha256, blob, start, length, media_type, width, height, touched, doomed, phash,"
    " thumbnail_blob, thumbnail_start, thumbnail_length"
)
_THESE: Final = "tenant = ? AND sha256 IN (SELECT value FROM json_each(?))"
_THIS: Final = "tenant = ? AND sha256 = ?"
_EMBEDDING: Final = f"{_THIS} AND fingerprint = ?"


class SqliteImages:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: set[str] = set()

    def touch(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]:
        these = (tenant, json.dumps(list(sha256s)))

        def work(db: sqlite3.Connection) -> dict[str, Image]:
            db.execute(
                f"UPDATE images SET touched = ?, doomed = NULL WHERE {_THESE}",  # noqa: S608
                (self._store.now(), *these),
            )
            return _by_sha256(_images(db, _THESE, these))  # rule: touch_tests

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
            f"INSERT INTO images ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"  # noqa: S608
            " ON CONFLICT DO NOTHING",  # rule: blob_key_once
            (
                *(*key, *_where(write.place), write.media_type, write.width, write.height, now),
                *(write.phash, *_where(write.thumbnail)),
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
                f"UPDATE images SET touched = ?, doomed = NULL WHERE {_THIS}",  # noqa: S608
                (now, *key),
            )
            _add(db, key, write.phash, write.thumbnail)
        for fingerprint, vector in write.vectors:
            _store(db, key, fingerprint, vector)
        return _images(db, _THIS, key)[0]

    def get(self, tenant: str, sha256s: Collection[str]) -> dict[str, Image]:
        with self._store.reading() as db:
            return _by_sha256(_images(db, _THESE, (tenant, json.dumps(list(sha256s)))))

    def page(self, after: tuple[str, str] = ("", ""), limit: int = 500) -> list[Image]:
        with self._store.reading() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM images WHERE (tenant, sha256) > (?, ?)"  # noqa: S608
                " ORDER BY tenant, sha256 LIMIT ?",
                (*after, limit),
            ).fetchall()
            return _with_embeddings(db, rows)

    def claimable(
        self,
        fingerprint: str,
        limit: int,
        *,
        tenant: str | None = None,
        images: Collection[str] = (),
    ) -> list[Claim]:
        self._ask_for(fingerprint)
        wanted, values = "fingerprint = ? AND open AND lease_until < ?", [fingerprint]
        if tenant is not None:
            wanted, values = f"{wanted} AND tenant = ?", [*values, tenant]
        if images:
            wanted += " AND sha256 IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(list(images)))
        rows = self._store.all(
            "SELECT tenant, sha256, fingerprint, blob, start, length, attempts, unannounced"  # noqa: S608
            f" FROM embeddings JOIN images USING (tenant, sha256) WHERE {wanted}"
            " ORDER BY attempts, tenant, sha256 LIMIT ?",
            (fingerprint, self._store.now(), *values[1:], limit),
        )
        return [_claim(row) for row in rows]

    def claim(self, found: Claim, lease_ms: int) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            now = self._store.now()
            taken = db.execute(
                "UPDATE embeddings SET attempts = attempts + 1, lease_until = ?"  # noqa: S608
                f" WHERE {_EMBEDDING} AND attempts = ? AND lease_until < ?",
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
            if not _is_there(db, key):
                return False
            _store(db, key, write.fingerprint, write.vector)
            _add(db, key, write.phash, write.thumbnail)
            return True

        return self._store.write(work)

    def store_verdict(
        self, tenant: str, sha256: str, fingerprint: str, *, place: Place, error: str
    ) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            there = f"{_THIS} AND (blob, start, length) = (?, ?, ?)"
            if not _is_there(db, (tenant, sha256, *_where(place)), there):  # rule: verdict_guarded
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
            f" WHERE {_EMBEDDING} AND error IS NOT NULL",
            (tenant, sha256, fingerprint),
        )

    def announced(self, tenant: str, sha256: str, fingerprint: str) -> None:
        self._changed(
            f"UPDATE embeddings SET unannounced = 0 WHERE {_EMBEDDING}",  # noqa: S608
            (tenant, sha256, fingerprint),
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
                f"UPDATE images SET doomed = ? WHERE {_THIS} AND touched = ?",  # noqa: S608
                (self._store.now(), tenant, sha256, touched),
            )
            return doomed.rowcount == 1

        return self._store.write(work)

    def remove(self, tenant: str, sha256: str, *, touched: int, doomed: int | None) -> Image | None:
        def work(db: sqlite3.Connection) -> Image | None:
            # rule: sweep_untouched
            found = _images(
                db, f"{_THIS} AND touched = ? AND doomed IS ?", (tenant, sha256, touched, doomed)
            )
            for table in ("images", "embeddings") if found else ():
                db.execute(f"DELETE FROM {table} WHERE {_THIS}", (tenant, sha256))  # noqa: S608
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
            self._store.write(partial(_register, fingerprint=fingerprint))
            self._asked.add(fingerprint)


def _register(db: sqlite3.Connection, fingerprint: str) -> None:
    known = "INSERT INTO fingerprints VALUES (?) ON CONFLICT DO NOTHING"
    if db.execute(known, (fingerprint,)).rowcount:
        db.execute(
            "INSERT INTO embeddings (tenant, sha256, fingerprint)"
            " SELECT tenant, sha256, ? FROM images WHERE true ON CONFLICT DO NOTHING",
            (fingerprint,),
        )


def _store(db: sqlite3.Connection, key: tuple[str, str], fingerprint: str, vector: bytes) -> None:
    db.execute(
        "INSERT INTO embeddings (tenant, sha256, fingerprint, vector, unannounced)"
        " VALUES (?, ?, ?, ?, 1) ON CONFLICT (tenant, sha256, fingerprint) DO UPDATE"
        # rule: announce
        " SET vector = excluded.vector, error = NULL, unannounced = 1",
        (*key, fingerprint, vector),
    )


def _add(
    db: sqlite3.Connection, key: tuple[str, str], phash: str | None, thumbnail: Place | None
) -> None:
    """What the document lacks; what it has stays, for somebody may be reading it."""
    if phash is not None:
        db.execute(
            f"UPDATE images SET phash = ? WHERE {_THIS} AND phash IS NULL",  # noqa: S608
            (phash, *key),
        )
    if thumbnail is not None:
        db.execute(
            "UPDATE images SET thumbnail_blob = ?, thumbnail_start = ?, thumbnail_length = ?"  # noqa: S608
            f" WHERE {_THIS} AND thumbnail_blob IS NULL",
            (*_where(thumbnail), *key),
        )


def _is_there(db: sqlite3.Connection, values: Row, wanted: str = _THIS) -> bool:
    return db.execute(f"SELECT 1 FROM images WHERE {wanted}", values).fetchone() is not None  # noqa: S608


def _where(place: Place | None) -> tuple[str | None, int | None, int | None]:
    return (None, None, None) if place is None else (place.blob, place.offset, place.length)


def _images(db: sqlite3.Connection, wanted: str, values: Row) -> list[Image]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM images WHERE {wanted}", values).fetchall()  # noqa: S608
    return _with_embeddings(db, rows)


def _with_embeddings(db: sqlite3.Connection, rows: Iterable[Row]) -> list[Image]:
    return [_image(row, _embeddings(db, row[:2])) for row in rows]


def _embeddings(db: sqlite3.Connection, key: Row) -> Mapping[str, tuple[Any, Progress]]:
    found = db.execute(
        "SELECT fingerprint, vector, attempts, lease_until, error, unannounced"  # noqa: S608
        f" FROM embeddings WHERE {_THIS}",
        key,
    )
    return {row[0]: (row[1], _progress(row)) for row in found}


def _progress(row: Row) -> Progress:
    attempts, lease_until, error, unannounced = row[2:]
    return Progress(attempts, lease_until, error, bool(unannounced))


def _claim(row: Row) -> Claim:
    tenant, sha256, fingerprint, blob, start, length, attempts, unannounced = row
    place = Place(blob, start, length)
    return Claim(tenant, sha256, fingerprint, place, attempts, bool(unannounced))


def _image(row: Row, embeddings: Mapping[str, tuple[Any, Progress]]) -> Image:
    return Image(
        tenant=row[0],
        sha256=row[1],
        place=Place(*row[2:5]),
        media_type=row[5],
        width=row[6],
        height=row[7],
        touched=row[8],
        doomed=row[9],
        phash=row[10],
        thumbnail=None if row[11] is None else Place(*row[11:14]),
        vectors={name: vector for name, (vector, _) in embeddings.items() if vector is not None},
        # Where nothing has happened yet, nothing is said.
        state={name: state for name, (_, state) in embeddings.items() if state != Progress()},
    )


def _by_sha256(images: Iterable[Image]) -> dict[str, Image]:
    return {image.sha256: image for image in images}
