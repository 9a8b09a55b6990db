"""Aliases: which index they are on, and what has to be so before `live` moves to another."""

import re
from contextlib import suppress
from typing import Final

from services.gateway import conditions
from services.gateway.answers import stamp
from services.gateway.indexes import find
from services.gateway.keys import Caller
from services.gateway.schemas.indexes import AliasBody, AliasView, MoveView, RollbackBody
from services.gateway.warming import warm
from shared.errors import (
    Conflict,
    Flaw,
    Invalid,
    LookalikeError,
    NotFound,
    PreconditionRequired,
    Stale,
)
from shared.evaluations import Evaluation, newest
from shared.indexes import LIVE, Alias, Ground, Index, Move, Why, unset

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
PATIENCE_S: Final = 15.0
"""A model is fetched, loaded and tried within a second or two, unless it brings TensorFlow."""
_JOBS: Final = 1_000
"""So many jobs back an exam is looked for; an older one is no reason to move anything today."""


def everyone(caller: Caller) -> list[AliasView]:
    return [view(alias) for alias in caller.ports.catalogue.indexes.aliases(caller.tenant)]


def get(caller: Caller, name: str) -> AliasView:
    return view(_there(caller, name))


def put(caller: Caller, name: str, body: AliasBody, if_match: str | None) -> AliasView:
    """Over the version that the caller has seen; one that is there already is left there."""
    _check_name(name)
    standing = caller.ports.catalogue.indexes.alias(caller.tenant, name)
    before = standing or unset(caller.tenant, name)
    if if_match is not None and before.index_id == body.index_id:
        return view(before)  # perhaps by a request of the caller whose answer was lost
    _check_match(before, if_match, needed=True)
    index = _complete(caller, body.index_id)
    ground = _ground(caller, before, index, body)
    if name == LIVE and ground != "same_model":
        _make_ready(caller, index, needed=not body.force)
    return _moved(caller, before, index, _why(caller, index, ground, body.reason))


def rollback(caller: Caller, name: str, body: RollbackBody, if_match: str | None) -> AliasView:
    """To the index before, without exam: it has been there."""
    alias = _there(caller, name)
    _check_match(alias, if_match, needed=False)
    if alias.before is None:
        raise Conflict(f"`{name}` was on no other index before.", code="nothing_before")
    if caller.ports.catalogue.indexes.get(alias.before) is None:
        detail = f"{alias.before}, where `{name}` was before, was dropped: make it again."
        raise Conflict(detail, code="nothing_before")
    index = _complete(caller, alias.before)
    _make_ready(caller, index, needed=False)
    return _moved(caller, alias, index, _why(caller, index, "rolled_back", body.reason))


def view(alias: Alias) -> AliasView:
    return AliasView(
        name=alias.name,
        index_id=alias.index_id,
        version=alias.version,
        before=alias.before,
        moves=[_move_view(move) for move in alias.moves],
    )


def _ground(caller: Caller, before: Alias, index: Index, body: AliasBody) -> Ground:
    """What lets the alias move; raises `Conflict` where nothing does and nobody insists."""
    standing = caller.ports.catalogue.indexes.get(before.index_id)
    if before.name != LIVE or standing is None:
        return "chosen"
    if standing.spaces.fingerprint == index.spaces.fingerprint:
        return "same_model"
    exam = newest(
        caller.ports.catalogue.office.jobs(caller.tenant, _JOBS), index.index_id, standing.index_id
    )
    if exam is not None and exam.passed:
        return "passed"
    if not body.force:
        raise _unexamined(index, standing, exam)
    if not (body.reason or "").strip():
        detail = "Whoever forces an alias says why: give a `reason`."
        raise Invalid(detail, flaws=(Flaw("/reason", "missing", detail),))
    return "forced"


def _unexamined(index: Index, standing: Index, exam: Evaluation | None) -> Conflict:
    """Why the index may not take the place of the live one, and how to go on."""
    pair = f"{index.index_id} against {standing.index_id}, which is `{LIVE}`"
    otherwise = "or force it, with a `reason`."
    if exam is None:
        detail = (
            f"No exam of {pair}, has ended: ask for one (`lookalike index examine "
            f"{index.index_id}`, or POST /v1/evaluations), {otherwise}"
        )
        return Conflict(detail, code="not_evaluated")
    told = " ".join(exam.reasons) or "It gave no reasons."
    if exam.passed is None:
        detail = f"The exam of {pair}, could not judge: {told} Examine it again, {otherwise}"
        return Conflict(detail, code="not_evaluated")
    detail = f"The exam of {pair}, was failed: {told} Stay with the live index, {otherwise}"
    flaws = tuple(Flaw("/index_id", "exam_failed", reason) for reason in exam.reasons)
    return Conflict(detail, code="exam_failed", flaws=flaws)


def _complete(caller: Caller, index_id: str) -> Index:
    """Whoever insists gets no half of a catalogue either."""
    index = find(caller, index_id)
    if index.state == "building":
        raise Conflict(
            f"{index_id} does not hold the whole catalogue yet: see GET /v1/indexes/{index_id}.",
            code="index_not_ready",
        )
    if index.state == "retired":
        raise Conflict(f"{index_id} is being dropped.", code="index_not_ready")
    return index


def _make_ready(caller: Caller, index: Index, *, needed: bool) -> None:
    """Has the model started; whoever insists, or wants to go back, is kept from it by nothing."""
    if needed:
        warm(caller.ports, index, patience_s=PATIENCE_S)
        return
    with suppress(LookalikeError):
        warm(caller.ports, index, patience_s=0)


def _moved(caller: Caller, before: Alias, index: Index, why: Why) -> AliasView:
    indexes = caller.ports.catalogue.indexes
    moved = indexes.move_alias(
        caller.tenant, before.name, index.index_id, expected=before.version, why=why
    )
    if moved is None:
        raise _stale(before.name)
    there = indexes.get(index.index_id)
    if there is not None and there.state != "retired":
        return view(moved)
    # Somebody dropped it at this very moment, and did not see the alias any more.
    if before.version:
        indexes.move_alias(
            caller.tenant, before.name, before.index_id, expected=moved.version, why=why
        )
    raise Conflict(f"{index.index_id} was dropped meanwhile.", code="index_not_ready")


def _why(caller: Caller, index: Index, ground: Ground, reason: str | None) -> Why:
    return Why(ground, caller.key_id, reason, index.spaces.fingerprint)


def _there(caller: Caller, name: str) -> Alias:
    alias = caller.ports.catalogue.indexes.alias(caller.tenant, name)
    if alias is None:
        raise NotFound(f"There is no alias {name!r} here.", code="no_such_alias")
    return alias


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        detail = "An alias has 1 to 64 lower-case letters, digits and `-`, a letter first."
        raise Invalid(detail, flaws=(Flaw("/path/name", "bad_name", detail),))


def _check_match(alias: Alias, if_match: str | None, *, needed: bool) -> None:
    if if_match is None:
        if needed:
            raise PreconditionRequired(
                f'Send If-Match with the ETag of GET /v1/aliases/{alias.name}, or "0" for the '
                "first move: so nobody moves over what somebody else just did."
            )
        return
    if if_match == conditions.ANY and alias.version:
        return
    if if_match == conditions.ANY or conditions.version_of(if_match) != alias.version:
        raise _stale(alias.name)


def _stale(name: str) -> Stale:
    return Stale(f"`{name}` has moved: read it again, then decide.")


def _move_view(move: Move) -> MoveView:
    return MoveView(
        index_id=move.index_id,
        at=stamp(move.at) if move.at else None,
        by=move.why.by,
        ground=move.why.ground,
        forced=move.why.ground == "forced",
        reason=move.why.reason,
    )
