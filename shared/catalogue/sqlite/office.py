"""What the house itself needs: keys, uploads, idempotency, leases, jobs, secrets."""

import json
import secrets
import sqlite3
from dataclasses import asdict
from typing import Any, Final

from shared.catalogue.office import ANSWERING_MS, REMEMBERED_MS, Key, Part, Remembered, Upload
from shared.catalogue.sqlite.store import Store
from shared.jobs import Job


class SqliteOffice:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_key(self, key: Key) -> None:
        self._do(
            "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)",
            *(key.key_id, key.tenant, key.sha256, json.dumps(asdict(key))),
        )

    def key_by_sha256(self, sha256: str) -> Key | None:
        row = self._store.one("SELECT body FROM keys WHERE sha256 = ?", (sha256,))
        return None if row is None else _key(row[0])

    def keys(self, tenant: str) -> list[Key]:
        rows = self._store.all("SELECT body FROM keys WHERE tenant = ? ORDER BY key_id", (tenant,))
        return [_key(body) for (body,) in rows]

    def revoke_key(self, tenant: str, key_id: str) -> bool:
        revoked = self._do(
            "UPDATE keys SET body = json_set(body, '$.revoked', json('true'))"
            " WHERE tenant = ? AND key_id = ?",
            *(tenant, key_id),
        )
        return revoked == 1

    def put_upload(self, upload: Upload) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO uploads (upload_id, tenant, touched, size, received, body)"
                " VALUES (?, ?, ?, ?, 0, ?)",
                (upload.upload_id, upload.tenant, upload.touched, upload.size, _rest(upload)),
            )
            for part in upload.parts:
                _append(db, upload.upload_id, part)

        self._store.write(work)

    def upload(self, tenant: str, upload_id: str) -> Upload | None:
        with self._store.reading() as db:
            found = _uploads(db, "upload_id = ? AND tenant = ?", upload_id, tenant)
        return found[0] if found else None

    def append_part(self, upload_id: str, at_offset: int, part: Part) -> Upload | None:
        def work(db: sqlite3.Connection) -> Upload | None:
            fits = db.execute(
                "UPDATE uploads SET touched = ?"
                " WHERE upload_id = ? AND received = ? AND (size IS NULL OR size >= ?)",
                (self._store.now(), upload_id, at_offset, at_offset + part.size),
            )
            if fits.rowcount == 0:
                return None
            _append(db, upload_id, part)
            return _uploads(db, "upload_id = ?", upload_id)[0]

        return self._store.write(work)

    def declare_size(self, upload_id: str, size: int) -> Upload | None:
        def work(db: sqlite3.Connection) -> Upload | None:
            fits = db.execute(
                "UPDATE uploads SET size = ?"
                " WHERE upload_id = ? AND received <= ? AND (size IS NULL OR size = ?)",
                (size, upload_id, size, size),
            )
            return _uploads(db, "upload_id = ?", upload_id)[0] if fits.rowcount else None

        return self._store.write(work)

    def uploads_before(self, touched: int, limit: int = 500) -> list[Upload]:
        with self._store.reading() as db:
            return _uploads(db, "touched < ? ORDER BY touched LIMIT ?", touched, limit)

    def drop_upload(self, upload_id: str) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM parts WHERE upload_id = ?", (upload_id,))
            db.execute("DELETE FROM uploads WHERE upload_id = ?", (upload_id,))

        self._store.write(work)

    def upload_names_blob(self, blob: str) -> bool:
        return self._store.one("SELECT 1 FROM parts WHERE blob = ? LIMIT 1", (blob,)) is not None

    def remember(self, tenant: str, key: str, body_sha256: str) -> Remembered | None:
        def work(db: sqlite3.Connection) -> Remembered | None:
            now = self._store.now()
            db.execute("DELETE FROM idempotency WHERE at < ?", (now - REMEMBERED_MS,))
            db.execute(
                "DELETE FROM idempotency WHERE status IS NULL AND at < ?", (now - ANSWERING_MS,)
            )
            row = db.execute(
                "SELECT body_sha256, status, answer FROM idempotency WHERE tenant = ? AND key = ?",
                (tenant, key),
            ).fetchone()
            if row:
                return Remembered(*row)
            db.execute(
                "INSERT INTO idempotency VALUES (?, ?, ?, NULL, NULL, ?)",
                (tenant, key, body_sha256, now),
            )
            return None

        return self._store.write(work)

    def answered(self, tenant: str, key: str, status: int, answer: bytes) -> None:
        self._do(
            "UPDATE idempotency SET status = ?, answer = ? WHERE tenant = ? AND key = ?",
            *(status, answer, tenant, key),
        )

    def forget(self, tenant: str, key: str) -> None:
        self._do("DELETE FROM idempotency WHERE tenant = ? AND key = ?", tenant, key)

    def lease(self, name: str, holder: str, lease_ms: int) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            now = self._store.now()
            taken = db.execute(
                "INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET holder = excluded.holder, until = excluded.until"
                " WHERE holder = excluded.holder OR until <= ?",
                (name, holder, now + lease_ms, now),
            )
            return taken.rowcount == 1

        return self._store.write(work)

    def put_job(self, job: Job) -> None:
        self._do(
            "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)",
            *(job.job_id, job.tenant, job.created, json.dumps(asdict(job))),
        )

    def swap_job(self, before: Job, after: Job) -> bool:
        changed = self._do(
            "UPDATE jobs SET body = ? WHERE tenant = ? AND job_id = ? AND body = ?",
            *(json.dumps(asdict(after)), before.tenant, before.job_id, json.dumps(asdict(before))),
        )
        return changed == 1

    def job(self, tenant: str, job_id: str) -> Job | None:
        row = self._store.one(
            "SELECT body FROM jobs WHERE tenant = ? AND job_id = ?", (tenant, job_id)
        )
        return None if row is None else Job(**json.loads(row[0]))

    def jobs(self, tenant: str, limit: int = 100) -> list[Job]:
        rows = self._store.all(
            "SELECT body FROM jobs WHERE tenant = ? ORDER BY created DESC, job_id DESC LIMIT ?",
            (tenant, limit),
        )
        return [Job(**json.loads(body)) for (body,) in rows]

    def unfinished_jobs(self, kind: str, limit: int = 500) -> list[Job]:
        rows = self._store.all(
            "SELECT body FROM jobs WHERE body ->> '$.kind' = ?"
            " AND body ->> '$.state' IN ('queued', 'running', 'paused')"
            " ORDER BY created, job_id LIMIT ?",
            (kind, limit),
        )
        return [Job(**json.loads(body)) for (body,) in rows]

    def secret(self, name: str) -> bytes:
        row = self._store.one("SELECT secret FROM secrets WHERE name = ?", (name,))
        if row is None:
            self._do(
                "INSERT INTO secrets VALUES (?, ?) ON CONFLICT DO NOTHING",
                *(name, secrets.token_bytes(32)),
            )
            return self.secret(name)
        found: bytes = row[0]
        return found

    def _do(self, sql: str, *values: object) -> int:
        return self._store.write(lambda db: db.execute(sql, values).rowcount)


def _key(body: str) -> Key:
    said: dict[str, Any] = json.loads(body)
    said["origins"] = tuple(said["origins"])
    return Key(**said)


_IN_COLUMNS: Final = frozenset({"parts", "touched", "size"})


def _rest(upload: Upload) -> str:
    return json.dumps({k: v for k, v in asdict(upload).items() if k not in _IN_COLUMNS})


def _append(db: sqlite3.Connection, upload_id: str, part: Part) -> None:
    db.execute(
        "INSERT INTO parts SELECT upload_id, received, ?, ? FROM uploads WHERE upload_id = ?",
        (part.blob, part.size, upload_id),
    )
    db.execute(
        "UPDATE uploads SET received = received + ? WHERE upload_id = ?", (part.size, upload_id)
    )


def _uploads(db: sqlite3.Connection, wanted: str, *values: object) -> list[Upload]:
    sql = f"SELECT upload_id, size, touched, body FROM uploads WHERE {wanted}"  # noqa: S608 - no input
    return [
        Upload(**json.loads(body), parts=_parts(db, upload_id), size=size, touched=touched)
        for upload_id, size, touched, body in db.execute(sql, values).fetchall()
    ]


def _parts(db: sqlite3.Connection, upload_id: str) -> tuple[Part, ...]:
    found = db.execute(
        "SELECT blob, size FROM parts WHERE upload_id = ? ORDER BY start", (upload_id,)
    )
    return tuple(Part(blob, size) for blob, size in found)
