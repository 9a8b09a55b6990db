"""Indexes, the pointers that commits swap, and aliases."""

from dataclasses import asdict, replace
from typing import Final

from shared.catalogue.mongo.documents import key_of, within
from shared.catalogue.mongo.store import Document, Store
from shared.indexes import BUILT, LIVE, Alias, Index, IndexState, Move, Pointer, Why, unset
from shared.spaces import Space, Spaces

_CREATED: Final = [("created", 1), ("index_id", 1)]


class MongoIndexes:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._indexes = store.documents("indexes")
        self._pointers = store.documents("pointers")
        self._replicas = store.documents("replicas")
        self._aliases = store.documents("aliases")

    def create(self, index: Index) -> Index:
        made = replace(index, created=self._store.now())
        # rule: index_is_state
        self._indexes.insert(_index_document(made))
        return self.get(index.index_id) or made

    def get(self, index_id: str) -> Index | None:
        found = self._indexes.get(index_id)
        return _index_of(found) if found else None

    def all(self, tenant: str | None = None) -> list[Index]:
        wanted = {} if tenant is None else {"tenant": tenant}
        return [_index_of(doc) for doc in self._indexes.find(wanted, sort=_CREATED)]

    def set_state(
        self, index_id: str, state: IndexState, *, origins: tuple[IndexState, ...] = ()
    ) -> bool:
        wanted: Document = {"_id": index_id}
        if origins:
            wanted["state"] = {"$in": list(origins)}
        return self._indexes.update(wanted, {"$set": {"state": state}})

    def drop(self, index_id: str) -> None:
        """The index last: while it is there, a drop that died is done again."""
        for documents in (self._pointers, self._replicas):
            documents.delete_all({"index_id": index_id})
        self._indexes.delete({"_id": index_id})

    def pointer(self, index_id: str, shard: int) -> Pointer:
        # The replicas first: so none shows a generation that its pointer has not come to.
        replicas = self._replicas.find({"index_id": index_id, "shard": shard})
        shown = {doc["replica"]: (doc["generation"], doc["at"]) for doc in replicas}
        found = self._pointers.get(_key(index_id, shard)) or {"index_id": index_id, "shard": shard}
        said = {name: value for name, value in found.items() if name != "_id"}
        return Pointer(**said, replicas=shown)

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
        before = self.pointer(index_id, shard)
        if before.generation != expected:
            return None
        after = replace(before, generation=expected + 1, manifest=manifest, as_of=as_of)
        if emptied:
            # rule: rebuild_is_state
            after = replace(after, rebuilding=after.generation)
        return after if self._swapped(before, after) else None

    def rebuilt(self, index_id: str, shard: int, since: int) -> None:
        same = {"_id": _key(index_id, shard), "rebuilding": since}
        self._pointers.update(same, {"$set": {"rebuilding": None}})

    def report(self, index_id: str, shard: int, replica: str, generation: int) -> None:
        said = {"index_id": index_id, "shard": shard, "replica": replica, "generation": generation}
        key = f"{_key(index_id, shard)}/{replica}"
        self._replicas.put({"_id": key, **said, "at": self._store.now()})

    def forget_replica(self, index_id: str, shard: int, replica: str) -> None:
        self._replicas.delete({"_id": f"{_key(index_id, shard)}/{replica}"})

    def alias(self, tenant: str, name: str) -> Alias | None:
        found = self._aliases.get(key_of(tenant, name))
        return _alias_of(tenant, name, found) if found else None

    def aliases(self, tenant: str) -> list[Alias]:
        found = self._aliases.find({"_id": within(tenant)}, sort=[("_id", 1)])
        return [
            _alias_of(tenant, doc["_id"].removeprefix(key_of(tenant, "")), doc) for doc in found
        ]

    def move_alias(
        self,
        tenant: str,
        name: str,
        index_id: str,
        *,
        expected: int | None = None,
        why: Why = BUILT,
    ) -> Alias | None:
        while True:
            before = self.alias(tenant, name) or unset(tenant, name)
            if expected is not None and expected != before.version:
                return None
            if self._moved(after := before.moved(Move(index_id, self._store.now(), why))):
                return after

    def _swapped(self, before: Pointer, after: Pointer) -> bool:
        """`rebuilding` only where this commit says so: its end may be told at the same moment."""
        key = _key(after.index_id, after.shard)
        said: Document = {
            name: getattr(after, name)
            for name in ("generation", "manifest", "as_of", "rebuilding")
            if name != "rebuilding" or after.rebuilding != before.rebuilding
        }
        if before.generation:
            guard = {"_id": key, "generation": before.generation}
            return self._pointers.update(guard, {"$set": said})
        named = {"_id": key, "index_id": after.index_id, "shard": after.shard}
        return self._pointers.insert({**named, **said})

    def _moved(self, alias: Alias) -> bool:
        key = key_of(alias.tenant, alias.name)
        moves = [asdict(move) for move in alias.moves]
        said = {"index_id": alias.index_id, "version": alias.version, "moves": moves}
        if alias.version == 1:
            return self._aliases.insert({"_id": key, **said})
        return self._aliases.update({"_id": key, "version": alias.version - 1}, {"$set": said})


def _key(index_id: str, shard: int) -> str:
    return f"{index_id}/{shard}"


def _index_document(index: Index) -> Document:
    return {
        "_id": index.index_id,
        "index_id": index.index_id,
        "tenant": index.tenant,
        "model": index.model,
        "fingerprint": index.spaces.fingerprint,
        "spaces": [[space.name, space.dim, space.fingerprint] for space in index.spaces.spaces],
        "shards": index.shards,
        "targets": list(index.targets),
        "declared": list(index.declared),
        "state": index.state,
        "created": index.created,
        "alias": index.alias,
    }


def _index_of(doc: Document) -> Index:
    return Index(
        index_id=doc["index_id"],
        tenant=doc["tenant"],
        model=doc["model"],
        spaces=Spaces(doc["fingerprint"], tuple(Space(*space) for space in doc["spaces"])),
        shards=doc["shards"],
        targets=tuple(doc["targets"]),
        declared=tuple(doc["declared"]),
        state=doc["state"],
        created=doc["created"],
        # One that was begun before indexes said so themselves was meant to take over.
        alias=doc.get("alias", LIVE),
    )


def _alias_of(tenant: str, name: str, doc: Document) -> Alias:
    told = (Move(**{**move, "why": Why(**move["why"])}) for move in doc.get("moves", ()))
    return Alias(tenant, name, doc["index_id"], doc["version"], tuple(told))
