"""Which products a search may answer: a small tree, read from JSON, asked of attributes.

`category` takes `under` (a path's prefix); text fields take `eq` and `in`; numbers also `gt`, `gte`,
`lt`, `lte`; `tags` holds when any tag does. `custom.NAME` names a declared field.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from shared.errors import Flaw, Invalid
from shared.products import Attributes, Scalar

FIELDS: Final = ("title", "brand", "category", "price", "currency", "in_stock", "tags", "url")
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class In:
    """The field is one of these values; for lists, any member is."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The field is a number between these bounds; a missing number is in no range."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True, slots=True)
class Under:
    """The category path starts with this one."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


Filter = In | Range | Under | And | Or | Not


def value_of(attributes: Attributes, field: str) -> Scalar | tuple[str, ...] | None:
    """What a product has in a field; None where it has nothing."""
    if field.startswith("custom."):
        return attributes.custom.get(field.removeprefix("custom."))
    found: Scalar | tuple[str, ...] | None = getattr(attributes, field)
    return found


def passes(condition: Filter, attributes: Attributes) -> bool:
    """Whether a product may be answered."""
    match condition:
        case And(parts):
            return all(passes(part, attributes) for part in parts)
        case Or(parts):
            return any(passes(part, attributes) for part in parts)
        case Not(part):
            return not passes(part, attributes)
        case Under(path):
            return attributes.category[: len(path)] == path
        case In(field, values):
            found = value_of(attributes, field)
            return any(_same(v, w) for v in _members(found) for w in values)
        case Range(field):
            found = value_of(attributes, field)
            return _is_number(found) and _between(found, condition)


def _members(found: Scalar | tuple[str, ...] | None) -> Iterable[Scalar]:
    if isinstance(found, tuple):
        return found
    return () if found is None else (found,)


def _same(one: Scalar, other: Scalar) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _is_number(found: object) -> TypeGuard[int | float]:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _is_bound(found: object) -> bool:
    return _is_number(found) and abs(found) <= sys.float_info.max


def _between(number: float, bounds: Range) -> bool:
    return (
        (bounds.gt is None or number > bounds.gt)
        and (bounds.gte is None or number >= bounds.gte)
        and (bounds.lt is None or number < bounds.lt)
        and (bounds.lte is None or number <= bounds.lte)
    )


def fields_of(condition: Filter) -> frozenset[str]:
    """Every field that a filter asks for."""
    match condition:
        case And(parts) | Or(parts):
            return frozenset().union(*(fields_of(part) for part in parts))
        case Not(part):
            return fields_of(part)
        case Under():
            return frozenset({"category"})
        case In(field) | Range(field):
            return frozenset({field})


def parse(body: object, declared: Iterable[str] = (), pointer: str = "/filter") -> Filter:
    """A filter from its JSON; what is wrong is said with a pointer to where it is."""
    return _parse(body, (*FIELDS, *(f"custom.{name}" for name in declared)), pointer, 0)


def _parse(body: object, fields: tuple[str, ...], pointer: str, depth: int) -> Filter:
    if not isinstance(body, Mapping):
        raise _wrong(pointer, "A filter is a JSON object.")
    if depth > MAX_DEPTH:
        raise _wrong(pointer, f"Filters nest at most {MAX_DEPTH} deep.")
    for name, make in (("and", And), ("or", Or)):
        if name in body:
            _only(body, {name}, pointer)
            parts = body[name]
            if not isinstance(parts, list) or not parts:
                raise _wrong(f"{pointer}/{name}", f"`{name}` takes a list of filters.")
            return make(
                tuple(
                    _parse(part, fields, f"{pointer}/{name}/{i}", depth + 1)
                    for i, part in enumerate(parts)
                )
            )
    if "not" in body:
        _only(body, {"not"}, pointer)
        return Not(_parse(body["not"], fields, f"{pointer}/not", depth + 1))
    return _leaf(body, fields, pointer)


_BOUNDS = ("gt", "gte", "lt", "lte")
_TESTS = ("eq", "in", "under", *_BOUNDS)


def _leaf(body: Mapping[str, Any], fields: tuple[str, ...], pointer: str) -> Filter:
    _only(body, {"field", *_TESTS}, pointer)
    field = body.get("field")
    if field not in fields:
        known = ", ".join(fields)
        raise _wrong(f"{pointer}/field", f"No filterable field {field!r}; there are: {known}.")
    asked = [test for test in _TESTS if test in body]
    if not asked or (len(asked) > 1 and not set(asked) <= set(_BOUNDS)):
        raise _wrong(pointer, "Name one test: eq, in, under, or bounds (gt, gte, lt, lte).")
    if asked[0] in _BOUNDS:
        if field != "price" and not str(field).startswith("custom."):
            raise _wrong(pointer, f"`{field}` is no number and has no bounds.")
        for test in asked:
            _check(body[test], _is_bound, f"{pointer}/{test}", "A bound is a number.")
        return Range(str(field), **{test: float(body[test]) for test in asked})
    if asked[0] == "under":
        if field != "category":
            raise _wrong(pointer, "`under` is for the category.")
        path = [body["under"]] if isinstance(body["under"], str) else body["under"]
        _check(path, _is_texts, f"{pointer}/under", "`under` takes a path: a list of names.")
        return Under(tuple(path))
    values = [body["eq"]] if asked[0] == "eq" else body["in"]
    _check(values, _is_scalars, f"{pointer}/{asked[0]}", "Values are texts, numbers or booleans.")
    return In(str(field), tuple(values))


def _is_texts(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(part, str) for part in found)


def _is_scalars(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(v, str | int | float | bool) for v in found)


def _check(found: object, good: Callable[[object], bool], pointer: str, detail: str) -> None:
    if not good(found):
        raise _wrong(pointer, detail)


def _only(body: Mapping[str, Any], allowed: set[str], pointer: str) -> None:
    if strange := sorted(set(body) - allowed):
        raise _wrong(f"{pointer}/{strange[0]}", f"A filter has no `{strange[0]}` here.")


def _wrong(pointer: str, detail: str) -> Invalid:
    return Invalid(detail, code="bad_filter", flaws=(Flaw(pointer, "bad_filter", detail),))
