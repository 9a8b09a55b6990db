"""JSON into the dataclasses of `answers`, by their annotations."""

import functools
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Answer = TypeVar("Answer")


def read(kind: type[Answer], body: Any) -> Answer:
    """What a later server says beside is left out; what is missing and has no default raises."""
    hints = _hints(kind).items()  # type: ignore[arg-type] # mypy doubts that classes are hashable
    return kind(**{name: _value(hint, body[name]) for name, hint in hints if name in body})


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) in (Union, types.UnionType):
        return _value(_not_none(hint), value)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], member) for member in value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    return read(cast("type[Any]", hint), value) if is_dataclass(hint) else value


def _not_none(hint: Any) -> Any:
    """The one other member; where there are several, plain JSON is what is wanted."""
    others = [member for member in get_args(hint) if member is not types.NoneType]
    return others[0] if len(others) == 1 else Any


@functools.cache
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
