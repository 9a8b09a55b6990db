"""Read, decide, and write only over what was read; decide anew when somebody was faster.

Each document carries an `edition`, another one with every write. It never comes twice, not even
after the document was removed and made again, so a write that is guarded by the edition that was
read lands on that very document or nowhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bson import ObjectId
from pymongo import UpdateOne

from shared.catalogue.mongo.store import TAKEN, Document, Documents
from shared.errors import Unavailable

T = TypeVar("T")
Read = Document | None

_TRIES: Final = 200
_REMEMBERED: Final = 4
_LATE: Final = 241
"""The server's code for a value that cannot be converted."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """What to answer, once `fields` are written: a whole document where there was none."""

    answer: T
    fields: Document | None = None
    """None: nothing is to be written."""
    not_after: int | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """A write on its way, with the editions it expects and makes; its fields have no dots."""

    key: str
    read: ObjectId | None
    made: ObjectId
    fields: Document
    not_after: int | None


def settle(
    documents: Documents, keys: Sequence[str], decide: Callable[[int, Read], Decision[T]]
) -> list[T]:
    """What `decide(position, document as read)` answers, in order, everything written.

    A key that comes several times is settled in that order. The decision is made again, from the
    document as it is then, for whoever lost a race or was late by the server's clock.
    """
    answers: dict[int, T] = {}
    for turn in range(len(keys) + _TRIES):
        todo = [position for position in range(len(keys)) if position not in answers]
        if not todo:
            return [answers[position] for position in range(len(keys))]
        if turn:
            documents.store.doubt_clock()
        first = {keys[position]: position for position in reversed(todo)}
        answers |= _attempt(documents, first, decide)
    raise Unavailable(
        f"Too many write to the same documents of {documents.store.place}: try again in a moment."
    )


def _attempt(
    documents: Documents, wave: dict[str, int], decide: Callable[[int, Read], Decision[T]]
) -> dict[int, T]:
    """One look and one write; the answers of those that landed or had nothing to write."""
    read = documents.latest(list(wave))
    decided = {key: decide(position, read.get(key)) for key, position in wave.items()}
    steps = [
        _step(key, read.get(key), decision.fields, decision.not_after)
        for key, decision in decided.items()
        if decision.fields is not None
    ]
    lost = {step.key for step in steps} - _landed(documents, steps)
    return {wave[key]: made.answer for key, made in decided.items() if key not in lost}


def _step(key: str, read: Read, fields: Document, not_after: int | None) -> _Step:
    return _Step(key, read["edition"] if read else None, ObjectId(), fields, not_after)


def _landed(documents: Documents, steps: Sequence[_Step]) -> set[str]:
    """The keys of those that were written.

    Where the server's counts do not tell, the documents do: they remember their last editions, so
    what landed and was written over before this look is not taken for lost, and not done twice.
    """
    if not steps:
        return set()
    # rule: duplicate_key_retries
    met = documents.bulk([_write(documents, step) for step in steps], frozenset({TAKEN, _LATE}))
    if met == len(steps):
        return {step.key for step in steps}
    if len(steps) == 1:
        return set()
    there = documents.latest([step.key for step in steps])
    return {step.key for step in steps if step.made in there.get(step.key, {}).get("lately", ())}


def _write(documents: Documents, step: _Step) -> UpdateOne:
    """Over the edition that was read, or, where there was no document, never over one.

    Too late, it stumbles over the conversion of a key, which is no number. So a deadline can guard
    a creation as well, which has no document that a filter could look at; and a branch that names a
    field is not worked out beforehand, whichever is taken.
    """
    lately = {"$concatArrays": [{"$ifNull": ["$lately", []]}, [step.made]]}
    fields = {"$literal": {**step.fields, "edition": step.made}}
    after: Document = {
        "$mergeObjects": ["$$ROOT", fields, {"lately": {"$slice": [lately, -_REMEMBERED]}}]
    }
    if step.not_after is not None:
        # rule: write_deadline
        after = {"$cond": [documents.store.in_time(step.not_after), after, {"$toInt": "$_id"}]}
    guard = {"_id": step.key, "edition": step.read or {"$exists": False}}
    return UpdateOne(guard, [{"$replaceWith": after}], upsert=step.read is None)
