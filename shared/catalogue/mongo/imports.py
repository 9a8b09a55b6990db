"""Imports, their chunks, and dead letters."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final, get_args

from shared.catalogue.mongo.documents import key_of
from shared.catalogue.mongo.store import Document, Store
from shared.jobs import FINISHED, Chunk, ChunkState, Counters, DeadLetter, Import, JobState

_UNFINISHED: Final = [state for state in get_args(JobState) if state not in FINISHED]


class MongoImports:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._imports = store.documents("imports")
        self._chunks = store.documents("chunks")

    def create(self, new: Import) -> Import:
        made = replace(new, created=self._store.now())
        self._imports.insert(_import_document(made))
        return self.get(new.import_id) or made

    def get(self, import_id: str) -> Import | None:
        found = self._imports.get(import_id)
        return _import_of(found) if found else None

    def recent(self, tenant: str, limit: int = 100) -> list[Import]:
        latest = [("created", -1), ("import_id", -1)]
        found = self._imports.find({"tenant": tenant}, sort=latest, limit=limit)
        return [_import_of(doc) for doc in found]

    def unfinished(self) -> list[Import]:
        oldest = [("created", 1), ("import_id", 1)]
        found = self._imports.find({"state": {"$in": _UNFINISHED}}, sort=oldest)
        return [_import_of(doc) for doc in found]

    def planned(self, import_id: str, chunks: Sequence[Chunk], *, scanned: int, done: bool) -> None:
        """The chunks first: a plan that died in between finds them there and goes on."""
        self._chunks.insert_missing([_chunk_document(chunk) for chunk in chunks])
        said: Document = {"$max": {"scanned": scanned}}
        if done:
            said["$set"] = {"planned": True}
        self._imports.update({"_id": import_id}, said)

    def set_state(self, import_id: str, state: JobState, detail: str | None = None) -> None:
        self._imports.update({"_id": import_id}, {"$set": {"state": state, "detail": detail}})

    def chunks(self, import_id: str) -> list[Chunk]:
        found = self._chunks.find({"import_id": import_id}, sort=[("number", 1)])
        return [_chunk_of(doc) for doc in found]

    def waiting(self, import_id: str, limit: int) -> list[Chunk]:
        found = self._chunks.find(
            {"import_id": import_id, **_free(self._store.now())},
            sort=[("attempts", 1), ("number", 1)],
            limit=limit,
        )
        return [_chunk_of(doc) for doc in found]

    def claim(self, import_id: str, number: int, lease_ms: int) -> Chunk | None:
        now, key = self._store.now(), _chunk_key(import_id, number)
        found, job = self._chunks.get(key), self._imports.get(import_id)
        if found is None or job is None or job["state"] != "running":
            return None
        guard = {"_id": key, "attempts": found["attempts"], **_free(now)}
        taken = {"attempts": found["attempts"] + 1, "lease_until": now + lease_ms}
        claimed = self._chunks.update(guard, {"$set": taken})
        return _chunk_of({**found, **taken}) if claimed else None

    def finish(self, import_id: str, number: int, counters: Counters) -> None:
        self._end(import_id, number, "done", counters)

    def give_up(self, import_id: str, number: int, counters: Counters) -> None:
        self._end(import_id, number, "failed", counters)

    def _end(self, import_id: str, number: int, state: ChunkState, counters: Counters) -> None:
        """What is done stays done: whoever comes later did the same work again."""
        self._chunks.update(
            {"_id": _chunk_key(import_id, number), "state": {"$ne": "done"}},
            {"$set": {"state": state, "counters": asdict(counters), "lease_until": 0}},
        )


class MongoDeadLetters:
    def __init__(self, store: Store) -> None:
        self._letters = store.documents("dead")

    def put(self, letter: DeadLetter) -> None:
        key = key_of(letter.tenant, letter.key)
        source, start = letter.source or (None, None)
        made = {**asdict(letter), "_id": key, "source": source, "start": start}
        again = {"code": letter.code, "detail": letter.detail}
        while not self._letters.insert(made):
            if self._letters.update({"_id": key}, {"$set": again, "$inc": {"attempts": 1}}):
                return

    def page(
        self, tenant: str, *, source: str | None = None, after: str = "", limit: int = 100
    ) -> list[DeadLetter]:
        wanted: Document = {"tenant": tenant, "key": {"$gt": after}}
        if source is not None:
            wanted["source"] = source
        found = self._letters.find(wanted, sort=[("key", 1)], limit=limit)
        return [_letter(doc) for doc in found]

    def drop(self, tenant: str, keys: Sequence[str]) -> int:
        these = [key_of(tenant, key) for key in keys]
        return self._letters.delete_all({"_id": {"$in": these}})


def _import_document(made: Import) -> Document:
    # Categories by number: a key of a document is always text, so they are pairs.
    pairs = [[number, list(path)] for number, path in made.categories.items()]
    return {**asdict(made), "_id": made.import_id, "categories": pairs}


def _import_of(doc: Document) -> Import:
    said = {name: value for name, value in doc.items() if name != "_id"}
    return Import(**{**said, "categories": {n: tuple(path) for n, path in said["categories"]}})


def _chunk_key(import_id: str, number: int) -> str:
    return f"{import_id}/{number}"


def _chunk_document(chunk: Chunk) -> Document:
    return {**asdict(chunk), "_id": _chunk_key(chunk.import_id, chunk.number)}


def _chunk_of(doc: Document) -> Chunk:
    said = {name: value for name, value in doc.items() if name != "_id"}
    return Chunk(**{**said, "counters": Counters(**said["counters"])})


def _free(now: int) -> Document:
    return {"state": "waiting", "lease_until": {"$lt": now}}


def _letter(doc: Document) -> DeadLetter:
    said = {name: value for name, value in doc.items() if name not in ("_id", "start")}
    source = None if said["source"] is None else (said["source"], doc["start"])
    return DeadLetter(**{**said, "source": source})
