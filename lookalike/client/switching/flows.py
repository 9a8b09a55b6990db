"""The calls about indexes and aliases as flows; an alias moves only over the version that was seen."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from lookalike.client.answers import Job
from lookalike.client.calls import ask, once, segment, sent
from lookalike.client.exchange import Call, Flow
from lookalike.client.reading import read
from lookalike.client.switching.answers import Alias, Aliases, Index, Indexes


def indexes() -> Flow[Indexes]:
    return ask(Call("GET", "/v1/indexes"), Indexes)


def index(index_id: str) -> Flow[Index]:
    return ask(Call("GET", _index(index_id)), Index)


def create_index(
    model: str | None,
    shards: int | None,
    declared: Sequence[str] | None,
    targets: Sequence[str] | None,
) -> Flow[Index]:
    body = {"model": model, "shards": shards, "declared": declared, "targets": targets}
    return ask(sent("POST", "/v1/indexes", _said(body), **once()), Index)


def drop_index(index_id: str) -> Flow[None]:
    yield Call("DELETE", _index(index_id))


def aliases() -> Flow[Aliases]:
    return ask(Call("GET", "/v1/aliases"), Aliases)


def alias(name: str) -> Flow[Alias]:
    return ask(Call("GET", _alias(name)), Alias)


def set_alias(
    name: str, index_id: str, version: int | None, reason: str | None, *, force: bool
) -> Flow[Alias]:
    """Over `version`, or over what it is on at this moment."""
    if version is None:
        version = yield from _version(name)
    body = _said({"index_id": index_id, "force": force, "reason": reason})
    headers = {"If-Match": f'"{version}"'}
    return (yield from ask(sent("PUT", _alias(name), body, **headers), Alias))


def rollback(name: str, reason: str | None) -> Flow[Alias]:
    """However often the request arrives, it goes back once."""
    return ask(sent("POST", f"{_alias(name)}:rollback", _said({"reason": reason}), **once()), Alias)


def reembed(
    model: str, shards: int | None, targets: Sequence[str] | None, *, evaluate: bool
) -> Flow[Job]:
    body = {"model": model, "shards": shards, "targets": targets, "evaluate": evaluate}
    return ask(sent("POST", "/v1/reembeddings", _said(body), **once()), Job)


def _version(name: str) -> Flow[int]:
    """0 where there is no such alias yet."""
    answer = yield Call("GET", _alias(name), expected=frozenset({HTTPStatus.NOT_FOUND}))
    assert answer is not None  # noqa: S101 - only pauses are followed by nothing
    return read(Alias, answer.json()).version if answer.is_success else 0


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the caller left to the server."""
    return {name: value for name, value in body.items() if value is not None}


def _index(index_id: str) -> str:
    return f"/v1/indexes/{segment(index_id)}"


def _alias(name: str) -> str:
    return f"/v1/aliases/{segment(name)}"
