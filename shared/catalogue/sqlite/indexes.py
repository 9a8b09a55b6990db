"""Indexes, the pointers that commits swap, and aliases."""

import json
import sqlite3
from dataclasses import asdict, replace

from shared.catalogue.sqlite.store import Row, Store
from shared.indexes import BUILT, LIVE, Alias, Index, IndexState, Move, Pointer, Why, unset
from shared.spaces import Space, Spaces


class SqliteIndexes:
    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, index: Index) -> Index:
        def work(db: sqlite3.Connection) -> Index:
            made = replace(index, created=self._store.now())
            db.execute(
                "INSERT INTO indexes VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                # rule: index_is_state
                (made.index_id, made.tenant, made.state, made.created, _body(made)),
            )
            found = db.execute("SELECT * FROM indexes WHERE index_id = ?", (made.index_id,))
            return _index(found.fetchone())

        return self._store.write(work)

    def get(self, index_id: str) -> Index | None:
        row = self._store.one("SELECT * FROM indexes WHERE index_id = ?", (index_id,))
        return None if row is None else _index(row)

    def all(self, tenant: str | None = None) -> list[Index]:
        rows = self._store.all(
            "SELECT * FROM indexes WHERE tenant = coalesce(?, tenant) ORDER BY created, index_id",
            (tenant,),
        )
        return [_index(row) for row in rows]

    def set_state(
        self, index_id: str, state: IndexState, *, origins: tuple[IndexState, ...] = ()
    ) -> bool:
        origin = json.dumps(list(origins))

        def work(db: sqlite3.Connection) -> bool:
            changed = db.execute(
                "UPDATE indexes SET state = ? WHERE index_id = ?"
                " AND (? = '[]' OR state IN (SELECT value FROM json_each(?)))",
                (state, index_id, origin, origin),
            )
            return changed.rowcount > 0

        return self._store.write(work)

    def drop(self, index_id: str) -> None:
        def work(db: sqlite3.Connection) -> None:
            for table in ("indexes", "pointers", "replicas"):
                db.execute(f"DELETE FROM {table} WHERE index_id = ?", (index_id,))  # noqa: S608

        self._store.write(work)

    def pointer(self, index_id: str, shard: int) -> Pointer:
        with self._store.reading() as db:
            return _pointer(db, index_id, shard)

    def swap(
        self,
        index_id: str,
        shard: int,
        *,
        expected: int,
        manifest: str | None,
        as_of: int,
        emptied: bool = False,
    ) -> Pointer | None:
        def work(db: sqlite3.Connection) -> Pointer | None:
            before = _pointer(db, index_id, shard)
            if before.generation != expected:
                return None
            generation = expected + 1
            # rule: rebuild_is_state
            rebuilding = generation if emptied else before.rebuilding
            db.execute(
                "INSERT OR REPLACE INTO pointers VALUES (?, ?, ?, ?, ?, ?)",
                (index_id, shard, generation, manifest, as_of, rebuilding),
            )
            return _pointer(db, index_id, shard)

        return self._store.write(work)

    def rebuilt(self, index_id: str, shard: int, since: int) -> None:
        self._store.write(
            lambda db: db.execute(
                "UPDATE pointers SET rebuilding = NULL"
                " WHERE index_id = ? AND shard = ? AND rebuilding = ?",
                (index_id, shard, since),
            )
        )

    def report(self, index_id: str, shard: int, replica: str, generation: int) -> None:
        self._store.write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO replicas VALUES (?, ?, ?, ?, ?)",
                (index_id, shard, replica, generation, self._store.now()),
            )
        )

    def forget_replica(self, index_id: str, shard: int, replica: str) -> None:
        self._store.write(
            lambda db: db.execute(
                "DELETE FROM replicas WHERE index_id = ? AND shard = ? AND replica = ?",
                (index_id, shard, replica),
            )
        )

    def alias(self, tenant: str, name: str) -> Alias | None:
        row = self._store.one("SELECT * FROM aliases WHERE tenant = ? AND name = ?", (tenant, name))
        return None if row is None else _alias(row)

    def aliases(self, tenant: str) -> list[Alias]:
        rows = self._store.all("SELECT * FROM aliases WHERE tenant = ? ORDER BY name", (tenant,))
        return [_alias(row) for row in rows]

    def move_alias(
        self,
        tenant: str,
        name: str,
        index_id: str,
        *,
        expected: int | None = None,
        why: Why = BUILT,
    ) -> Alias | None:
        def work(db: sqlite3.Connection) -> Alias | None:
            row = db.execute(
                "SELECT * FROM aliases WHERE tenant = ? AND name = ?", (tenant, name)
            ).fetchone()
            before = _alias(row) if row else unset(tenant, name)
            if expected is not None and expected != before.version:
                return None
            after = before.moved(Move(index_id, self._store.now(), why))
            moves = json.dumps([asdict(move) for move in after.moves])
            db.execute(
                "INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?, ?)",
                (tenant, name, index_id, after.version, moves),
            )
            return after

        return self._store.write(work)


def _body(index: Index) -> str:
    spaces = [(space.name, space.dim, space.fingerprint) for space in index.spaces.spaces]
    return json.dumps(
        {
            "model": index.model,
            "fingerprint": index.spaces.fingerprint,
            "spaces": spaces,
            "shards": index.shards,
            "targets": index.targets,
            "declared": index.declared,
            "alias": index.alias,
        }
    )


def _index(row: Row) -> Index:
    index_id, tenant, state, created, body = row
    said = json.loads(body)
    spaces = tuple(Space(*space) for space in said["spaces"])
    return Index(
        index_id=index_id,
        tenant=tenant,
        model=said["model"],
        spaces=Spaces(said["fingerprint"], spaces),
        shards=said["shards"],
        targets=tuple(said["targets"]),
        declared=tuple(said["declared"]),
        state=state,
        created=created,
        # One that was begun before indexes said so themselves was meant to take over.
        alias=said.get("alias", LIVE),
    )


def _alias(row: Row) -> Alias:
    tenant, name, index_id, version, moves = row
    told = (Move(**{**move, "why": Why(**move["why"])}) for move in json.loads(moves))
    return Alias(tenant, name, index_id, version, tuple(told))


def _pointer(db: sqlite3.Connection, index_id: str, shard: int) -> Pointer:
    key = (index_id, shard)
    row = db.execute("SELECT * FROM pointers WHERE index_id = ? AND shard = ?", key).fetchone()
    replicas = db.execute(
        "SELECT replica, generation, at FROM replicas WHERE index_id = ? AND shard = ?", key
    )
    shown = {replica: (generation, at) for replica, generation, at in replicas}
    return replace(Pointer(*(row or key)), replicas=shown)
