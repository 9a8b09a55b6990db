"""Imports, their chunks, and dead letters."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from shared.catalogue.sqlite.store import Row, Store
from shared.jobs import FINISHED, Chunk, ChunkState, Counters, DeadLetter, Import, JobState

_IMPORT: Final = "import_id, tenant, created, state, scanned, planned, detail, body"
_CHUNK: Final = "import_id, number, start, length, records, state, attempts, lease_until, counters"
_LETTER: Final = "key, tenant, kind, code, detail, first_seen, attempts, source, start"


class SqliteImports:
    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, new: Import) -> Import:
        def work(db: sqlite3.Connection) -> Import:
            made = replace(new, created=self._store.now())
            db.execute(
                "INSERT INTO imports VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    *(made.import_id, made.tenant, made.created, made.state, made.scanned),
                    *(made.planned, made.detail, _body(made)),
                ),
            )
            return _import(db, new.import_id) or made

        return self._store.write(work)

    def get(self, import_id: str) -> Import | None:
        with self._store.reading() as db:
            return _import(db, import_id)

    def recent(self, tenant: str, limit: int = 100) -> list[Import]:
        rows = self._store.all(
            f"SELECT {_IMPORT} FROM imports WHERE tenant = ?"  # noqa: S608
            " ORDER BY created DESC, import_id DESC LIMIT ?",
            (tenant, limit),
        )
        return [_import_of(row) for row in rows]

    def unfinished(self) -> list[Import]:
        rows = self._store.all(
            f"SELECT {_IMPORT} FROM imports"  # noqa: S608
            " WHERE state NOT IN (SELECT value FROM json_each(?)) ORDER BY created, import_id",
            (json.dumps(sorted(FINISHED)),),
        )
        return [_import_of(row) for row in rows]

    def planned(self, import_id: str, chunks: Sequence[Chunk], *, scanned: int, done: bool) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.executemany(
                "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [_chunk_row(chunk) for chunk in chunks],
            )
            db.execute(
                "UPDATE imports SET scanned = max(scanned, ?), planned = planned OR ?"
                " WHERE import_id = ?",
                (scanned, done, import_id),
            )

        self._store.write(work)

    def set_state(self, import_id: str, state: JobState, detail: str | None = None) -> None:
        self._store.write(
            lambda db: db.execute(
                "UPDATE imports SET state = ?, detail = ? WHERE import_id = ?",
                (state, detail, import_id),
            )
        )

    def chunks(self, import_id: str) -> list[Chunk]:
        rows = self._store.all(
            f"SELECT {_CHUNK} FROM chunks WHERE import_id = ? ORDER BY number",  # noqa: S608
            (import_id,),
        )
        return [_chunk_of(row) for row in rows]

    def waiting(self, import_id: str, limit: int) -> list[Chunk]:
        rows = self._store.all(
            f"SELECT {_CHUNK} FROM chunks"  # noqa: S608
            " WHERE import_id = ? AND state = 'waiting' AND lease_until < ?"
            " ORDER BY attempts, number LIMIT ?",
            (import_id, self._store.now(), limit),
        )
        return [_chunk_of(row) for row in rows]

    def claim(self, import_id: str, number: int, lease_ms: int) -> Chunk | None:
        def work(db: sqlite3.Connection) -> Chunk | None:
            now = self._store.now()
            row = db.execute(
                "UPDATE chunks SET attempts = attempts + 1, lease_until = ?"  # noqa: S608
                " WHERE import_id = ? AND number = ? AND state = 'waiting' AND lease_until < ?"
                " AND (SELECT state FROM imports WHERE import_id = ?) = 'running'"
                f" RETURNING {_CHUNK}",
                (now + lease_ms, import_id, number, now, import_id),
            ).fetchone()
            return None if row is None else _chunk_of(row)

        return self._store.write(work)

    def finish(self, import_id: str, number: int, counters: Counters) -> None:
        self._end(import_id, number, "done", counters)

    def give_up(self, import_id: str, number: int, counters: Counters) -> None:
        self._end(import_id, number, "failed", counters)

    def _end(self, import_id: str, number: int, state: ChunkState, counters: Counters) -> None:
        """What is done stays done: whoever comes later did the same work again."""
        self._store.write(
            lambda db: db.execute(
                "UPDATE chunks SET state = ?, counters = ?, lease_until = 0"
                " WHERE import_id = ? AND number = ? AND state <> 'done'",
                (state, json.dumps(asdict(counters)), import_id, number),
            )
        )


class SqliteDeadLetters:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, letter: DeadLetter) -> None:
        values = (
            *(letter.key, letter.tenant, letter.kind, letter.code, letter.detail),
            *(letter.first_seen, letter.attempts, *(letter.source or (None, None))),
        )
        self._store.write(
            lambda db: db.execute(
                f"INSERT INTO dead ({_LETTER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
                " ON CONFLICT (tenant, key) DO UPDATE SET attempts = attempts + 1,"
                " code = excluded.code, detail = excluded.detail",
                values,
            )
        )

    def page(
        self, tenant: str, *, source: str | None = None, after: str = "", limit: int = 100
    ) -> list[DeadLetter]:
        narrowed = "" if source is None else " AND source = ?"
        rows = self._store.all(
            f"SELECT {_LETTER} FROM dead WHERE tenant = ? AND key > ?{narrowed}"  # noqa: S608
            " ORDER BY key LIMIT ?",
            (tenant, after, *([] if source is None else [source]), limit),
        )
        return [_letter(row) for row in rows]

    def drop(self, tenant: str, keys: Sequence[str]) -> int:
        return self._store.write(
            lambda db: (
                db.execute(
                    "DELETE FROM dead WHERE tenant = ? AND key IN (SELECT value FROM json_each(?))",
                    (tenant, json.dumps(list(keys))),
                ).rowcount
            )
        )


def _body(made: Import) -> str:
    return json.dumps(
        {
            "format": made.format,
            "source": made.source,
            "size": made.size,
            "categories": list(made.categories.items()),
            "limit": made.limit,
        }
    )


def _import(db: sqlite3.Connection, import_id: str) -> Import | None:
    row = db.execute(
        f"SELECT {_IMPORT} FROM imports WHERE import_id = ?",  # noqa: S608
        (import_id,),
    ).fetchone()
    return None if row is None else _import_of(row)


def _import_of(row: Row) -> Import:
    import_id, tenant, created, state, scanned, planned, detail, body = row
    said: dict[str, Any] = json.loads(body)
    said["categories"] = {number: tuple(path) for number, path in said["categories"]}
    return Import(
        import_id=import_id,
        tenant=tenant,
        created=created,
        state=state,
        scanned=scanned,
        planned=bool(planned),
        detail=detail,
        **said,
    )


def _chunk_row(chunk: Chunk) -> Row:
    return (
        *(chunk.import_id, chunk.number, chunk.offset, chunk.length, chunk.records),
        *(chunk.state, chunk.attempts, chunk.lease_until, json.dumps(asdict(chunk.counters))),
    )


def _chunk_of(row: Row) -> Chunk:
    *said, counters = row
    return replace(Chunk(*said), counters=Counters(**json.loads(counters)))


def _letter(row: Row) -> DeadLetter:
    *said, source, start = row
    return replace(DeadLetter(*said), source=None if source is None else (source, start))
