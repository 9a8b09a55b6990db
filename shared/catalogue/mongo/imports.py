"""Imports, their chunks, and dead letters."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Final

from shared.catalogue.imports import NOTHING, STATES
from shared.catalogue.mongo.documents import key_of
from shared.catalogue.mongo.store import Document, Store
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
_UNFINISHED: Final = [state for state in STATES if state not in FINISHED]


class MongoImports:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._imports = store.documents("imports")
        self._chunks = store.documents("chunks")

    def create(self, new: Import) -> Import:
        now = self._store.now()
        made = replace(new, created=now, updated=now)
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

    def planned(self, import_id: str, chunks: Sequence[Chunk], *, scanned: int) -> None:
        """The chunks first: a plan that died in between finds them there and goes on."""
        self._chunks.insert_missing([_chunk_document(chunk) for chunk in chunks])
        found = {"chunks": len(chunks), "records": sum(chunk.records for chunk in chunks)}
        self._imports.update(
            {"_id": import_id, "scanned": {"$lt": scanned}},
            {"$set": {"scanned": scanned}, "$inc": found},
        )

    def planned_wholly(self, import_id: str) -> None:
        self._imports.update({"_id": import_id}, {"$set": {"planned": True}})

    def set_state(
        self,
        import_id: str,
        state: JobState,
        detail: str | None = None,
        *,
        origins: tuple[JobState, ...] = STATES,
    ) -> bool:
        return self._imports.update(
            {"_id": import_id, "state": {"$in": list(origins)}},
            {"$set": {"state": state, "detail": detail, "updated": self._store.now()}},
        )

    def note(self, import_id: str, findings: Mapping[str, Any]) -> None:
        named = {f"findings.{name}": value for name, value in findings.items()}
        self._imports.update({"_id": import_id}, {"$set": named})

    def tally(self, import_id: str, since: int = 0) -> Tally:
        counted = {name: {"$sum": f"$counters.{name}"} for name in _COUNTED}
        found = self._chunks.grouped(
            {"import_id": import_id},
            {
                "$group": {
                    "_id": {"state": "$state", "lately": {"$gte": ["$ended", since]}},
                    "chunks": {"$sum": 1},
                    **counted,
                }
            },
        )
        states: Counter[str] = Counter()
        counters, lately = Counters(), 0
        for group in found:
            said = Counters(**{name: group[name] for name in _COUNTED})
            states[group["_id"]["state"]] += group["chunks"]
            lately += said.read if group["_id"]["lately"] else 0
            counters += said
        return Tally(counters, states["waiting"], states["done"], states["failed"], lately)

    def categories(self, import_id: str) -> Mapping[str, int]:
        counted: Counter[str] = Counter()
        for doc in self._chunks.walk({"import_id": import_id}, ["categories"]):
            counted.update(dict(doc["categories"]))
        return counted

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
        failed = {"import_id": import_id, "state": "failed"}
        holding = [self._holding(import_id, offset) for offset in offsets]
        again = {"$set": {"state": "waiting", "attempts": 0, "lease_until": 0}}
        return sum(self._chunks.update_all(these, again) for these in (failed, *holding))

    def _holding(self, import_id: str, offset: int) -> Document:
        """Matches the chunk that the offset is in, where it is done."""
        before = {"import_id": import_id, "offset": {"$lte": offset}}
        found = self._chunks.find(before, ["_id"], sort=[("number", -1)], limit=1)
        return {"_id": {"$in": [doc["_id"] for doc in found]}, "state": "done"}

    def open(self, import_id: str) -> bool:
        return self._chunks.first({"import_id": import_id, "state": "waiting"}, ["_id"]) is not None

    def _end(
        self,
        import_id: str,
        number: int,
        state: ChunkState,
        counters: Counters,
        categories: Mapping[str, int],
    ) -> None:
        """What is done stays done: whoever comes later did the same work again."""
        ended = {
            "state": state,
            "ended": self._store.now(),
            "lease_until": 0,
            "counters": asdict(counters),
            "categories": list(categories.items()),
        }
        self._chunks.update(
            {"_id": _chunk_key(import_id, number), "state": {"$ne": "done"}}, {"$set": ended}
        )


class MongoDeadLetters:
    def __init__(self, store: Store) -> None:
        self._letters = store.documents("dead")

    def put(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            self._put(letter)

    def _put(self, letter: DeadLetter) -> None:
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
    return {**asdict(made), "_id": made.import_id}


def _import_of(doc: Document) -> Import:
    said = {name: value for name, value in doc.items() if name != "_id"}
    return Import(**{**said, "options": Options(**said["options"])})


def _chunk_key(import_id: str, number: int) -> str:
    return f"{import_id}/{number}"


def _chunk_document(chunk: Chunk) -> Document:
    # A category may hold what a key of a document may not, so they are pairs.
    pairs = [list(pair) for pair in chunk.categories.items()]
    return {
        **asdict(chunk),
        "_id": _chunk_key(chunk.import_id, chunk.number),
        "categories": pairs,
    }


def _chunk_of(doc: Document) -> Chunk:
    said = {name: value for name, value in doc.items() if name != "_id"}
    counters, categories = Counters(**said["counters"]), dict(said["categories"])
    return Chunk(**{**said, "counters": counters, "categories": categories})


def _free(now: int) -> Document:
    return {"state": "waiting", "lease_until": {"$lt": now}}


def _letter(doc: Document) -> DeadLetter:
    said = {name: value for name, value in doc.items() if name not in ("_id", "start")}
    source = None if said["source"] is None else (said["source"], doc["start"])
    return DeadLetter(**{**said, "source": source})
