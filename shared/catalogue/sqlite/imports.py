"""Imports, their chunks, and dead letters."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Final

from shared.catalogue.imports import NOTHING, STATES
from shared.catalogue.sqlite.store import Row, Store
from shared.jobs import (
    FINISHED,
    Chunk,
    ChunkState,
    Counters,
    DeadLetter,
    Import,
    JobState,
    Options,
    Tally,
)

_COUNTED: Final = tuple(counter.name for counter in fields(Counters))
_IMPORT: Final = (
    "import_id, tenant, created, state, scanned, planned, detail, body, chunks, records, updated,"
    " findings"
)
_CHUNK: Final = (
    "import_id, number, start, length, records, state, attempts, lease_until, ended, categories, "
) + ", ".join(_COUNTED)
_TALLY: Final = (
    "sum(state = 'waiting'), sum(state = 'done'), sum(state = 'failed'),"
    " sum(CASE WHEN ended >= ? THEN"
    " imported + unchanged + superseded + duplicate + failed + left_out ELSE 0 END), "
) + ", ".join(f"sum({name})" for name in _COUNTED)
_LETTER: Final = "key, tenant, kind, code, detail, first_seen, attempts, source, start"


class SqliteImports:
    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, new: Import) -> Import:
        def work(db: sqlite3.Connection) -> Import:
            now = self._store.now()
            made = replace(new, created=now, updated=now)
            row = _import_row(made)
            db.execute(
                f"INSERT INTO imports ({_IMPORT}) VALUES ({_marks(row)}) ON CONFLICT DO NOTHING",  # noqa: S608
                row,
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

    def planned(self, import_id: str, chunks: Sequence[Chunk], *, scanned: int) -> None:
        rows = [_chunk_row(chunk) for chunk in chunks]

        def work(db: sqlite3.Connection) -> None:
            for row in rows:
                db.execute(
                    f"INSERT INTO chunks ({_CHUNK}) VALUES ({_marks(row)}) ON CONFLICT DO NOTHING",  # noqa: S608
                    row,
                )
            db.execute(
                "UPDATE imports SET scanned = ?, chunks = chunks + ?, records = records + ?"
                " WHERE import_id = ? AND scanned < ?",
                (scanned, len(chunks), sum(c.records for c in chunks), import_id, scanned),
            )

        self._store.write(work)

    def planned_wholly(self, import_id: str) -> None:
        self._changed("UPDATE imports SET planned = 1 WHERE import_id = ?", (import_id,))

    def set_state(
        self,
        import_id: str,
        state: JobState,
        detail: str | None = None,
        *,
        origins: tuple[JobState, ...] = STATES,
    ) -> bool:
        return self._changed(
            "UPDATE imports SET state = ?, detail = ?, updated = ?"
            " WHERE import_id = ? AND state IN (SELECT value FROM json_each(?))",
            (state, detail, self._store.now(), import_id, json.dumps(list(origins))),
        )

    def note(self, import_id: str, findings: Mapping[str, Any]) -> None:
        def work(db: sqlite3.Connection) -> None:
            if found := _import(db, import_id):
                db.execute(
                    "UPDATE imports SET findings = ? WHERE import_id = ?",
                    (json.dumps({**found.findings, **findings}), import_id),
                )

        self._store.write(work)

    def tally(self, import_id: str, since: int = 0) -> Tally:
        found = self._store.one(
            f"SELECT {_TALLY} FROM chunks WHERE import_id = ?",  # noqa: S608
            (since, import_id),
        )
        waiting, done, failed, lately, *counted = (number or 0 for number in found or ())
        return Tally(Counters(*counted), waiting, done, failed, lately)

    def categories(self, import_id: str) -> Mapping[str, int]:
        counted: Counter[str] = Counter()
        with self._store.reading() as db:
            for (said,) in db.execute(
                "SELECT categories FROM chunks WHERE import_id = ? AND categories IS NOT NULL",
                (import_id,),
            ):
                counted.update(json.loads(said))
        return counted

    def chunks(self, import_id: str) -> list[Chunk]:
        rows = self._store.all(
            f"SELECT {_CHUNK} FROM chunks WHERE import_id = ? ORDER BY number",  # noqa: S608
            (import_id,),
        )
        return [_chunk_of(row) for row in rows]

    def open(self, import_id: str) -> bool:
        found = self._store.one(
            # left to choose, SQLite looks at all chunks that are done, and this is asked at each
            "SELECT 1 FROM chunks INDEXED BY chunks_waiting"
            " WHERE import_id = ? AND state = 'waiting' LIMIT 1",
            (import_id,),
        )
        return found is not None

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

    def finish(
        self,
        import_id: str,
        number: int,
        counters: Counters,
        categories: Mapping[str, int] = NOTHING,
    ) -> None:
        self._end(import_id, number, "done", counters, categories)

    def give_up(self, import_id: str, number: int, counters: Counters) -> None:
        self._end(import_id, number, "failed", counters, NOTHING)

    def reopen(self, import_id: str, offsets: Collection[int] = ()) -> int:
        def work(db: sqlite3.Connection) -> int:
            failed = db.execute(
                "UPDATE chunks SET state = 'waiting', attempts = 0, lease_until = 0"
                " WHERE import_id = ? AND state = 'failed'",
                (import_id,),
            )
            return failed.rowcount + sum(_reopen(db, import_id, offset) for offset in offsets)

        return self._store.write(work)

    def _end(
        self,
        import_id: str,
        number: int,
        state: ChunkState,
        counters: Counters,
        categories: Mapping[str, int],
    ) -> None:
        """What is done stays done: whoever comes later did the same work again."""
        counted = ", ".join(f"{name} = ?" for name in _COUNTED)
        self._changed(
            f"UPDATE chunks SET state = ?, ended = ?, lease_until = 0, categories = ?, {counted}"  # noqa: S608
            " WHERE import_id = ? AND number = ? AND state <> 'done'",
            (
                *(state, self._store.now(), json.dumps(dict(categories)) if categories else None),
                *(*_counts(counters), import_id, number),
            ),
        )

    def _changed(self, sql: str, values: Sequence[object]) -> bool:
        return self._store.write(lambda db: db.execute(sql, values).rowcount == 1)


class SqliteDeadLetters:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, letters: Sequence[DeadLetter]) -> None:
        rows = [
            (
                *(letter.key, letter.tenant, letter.kind, letter.code, letter.detail),
                *(letter.first_seen, letter.attempts, *(letter.source or (None, None))),
            )
            for letter in letters
        ]
        if rows:
            self._store.write(
                lambda db: db.executemany(
                    f"INSERT INTO dead ({_LETTER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
                    " ON CONFLICT (tenant, key) DO UPDATE SET attempts = attempts + 1,"
                    " code = excluded.code, detail = excluded.detail",
                    rows,
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


def _marks(row: Row) -> str:
    return ", ".join("?" * len(row))


def _import_row(made: Import) -> Row:
    body = {
        "format": made.format,
        "source": made.source,
        "size": made.size,
        "options": asdict(made.options),
    }
    return (
        *(made.import_id, made.tenant, made.created, made.state, made.scanned, made.planned),
        *(made.detail, json.dumps(body), made.chunks, made.records, made.updated),
        json.dumps(dict(made.findings)),
    )


def _import(db: sqlite3.Connection, import_id: str) -> Import | None:
    row = db.execute(
        f"SELECT {_IMPORT} FROM imports WHERE import_id = ?",  # noqa: S608
        (import_id,),
    ).fetchone()
    return None if row is None else _import_of(row)


def _import_of(row: Row) -> Import:
    import_id, tenant, created, state, scanned, planned, detail, body, *counted, findings = row
    said: dict[str, Any] = json.loads(body)
    chunks, records, updated = counted
    return Import(
        import_id=import_id,
        tenant=tenant,
        format=said["format"],
        source=said["source"],
        size=said["size"],
        created=created,
        state=state,
        options=Options(**said["options"]),
        scanned=scanned,
        chunks=chunks,
        records=records,
        planned=bool(planned),
        detail=detail,
        updated=updated,
        findings=json.loads(findings),
    )


def _reopen(db: sqlite3.Connection, import_id: str, offset: int) -> int:
    """The chunk that the offset is in, where it is done."""
    holding = db.execute(
        "UPDATE chunks SET state = 'waiting', attempts = 0, lease_until = 0"
        " WHERE import_id = ? AND state = 'done' AND number ="
        " (SELECT max(number) FROM chunks WHERE import_id = ? AND start <= ?)",
        (import_id, import_id, offset),
    )
    return holding.rowcount


def _counts(counters: Counters) -> Row:
    return tuple(getattr(counters, name) for name in _COUNTED)


def _chunk_row(chunk: Chunk) -> Row:
    return (
        *(chunk.import_id, chunk.number, chunk.offset, chunk.length, chunk.records, chunk.state),
        *(chunk.attempts, chunk.lease_until, chunk.ended),
        json.dumps(dict(chunk.categories)) if chunk.categories else None,
        *_counts(chunk.counters),
    )


def _chunk_of(row: Row) -> Chunk:
    said, categories, counted = row[:9], row[9], row[10:]
    chunk = Chunk(*said)
    return replace(chunk, counters=Counters(*counted), categories=json.loads(categories or "{}"))


def _letter(row: Row) -> DeadLetter:
    *said, source, start = row
    return replace(DeadLetter(*said), source=None if source is None else (source, start))
