"""Tasks as JSON objects: the name of their type under `kind`, and their fields beside it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final, get_args

from pydantic import TypeAdapter, ValidationError

from shared.errors import Malformed
from shared.tasks import Task

_KINDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Task)}
_READERS: Final[dict[str, TypeAdapter[Task]]] = {
    name: TypeAdapter(kind) for name, kind in _KINDS.items()
}


def to_wire(task: Task) -> dict[str, Any]:
    """`{"kind": "SyncShard", "index": "idx_1", "shard": 0}`; tuples are lists once they are JSON."""
    return {"kind": type(task).__name__, **asdict(task)}


def from_wire(message: object) -> Task:
    """The task that was meant; `Malformed` where one field is too many, missing or of another type."""
    match message:
        case {"kind": str(kind), **rest} if kind in _KINDS:
            return _read(kind, rest)
        case {"kind": kind}:
            raise Malformed(f"A ring names the task {kind!r}, which is not known here.")
        case _:
            raise Malformed(f"A ring is an object with a kind, not {type(message).__name__}.")


def _read(kind: str, rest: Mapping[object, object]) -> Task:
    known = {field.name for field in fields(_KINDS[kind])}
    if strange := sorted(map(str, rest.keys() - known)):
        raise Malformed(f"A ring for {kind} has fields that are not known here: {strange}.")
    try:
        # Strict about types, but for what JSON lacks: a list is a tuple.
        return _READERS[kind].validate_json(json.dumps(rest), strict=True)
    except ValidationError as error:
        flaw = error.errors()[0]
        where = ".".join(map(str, flaw["loc"]))
        raise Malformed(f"A ring for {kind} is wrong at {where}: {flaw['msg']}.") from error
