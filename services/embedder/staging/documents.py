"""What a source is to staging, and what comes out of it: documents that BSON can say."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from shared.sources.records import Read


@dataclass(frozen=True, slots=True)
class Ranged:
    """Bytes that are read by position: a file, an upload, a blob, an object."""

    read: Read
    size: int

    def whole(self, offset: int, length: int) -> bytes:
        """As many bytes as asked for, or all up to the end; a read may bring fewer at a time."""
        pieces = [self.read(offset, length)]
        while pieces[-1] and (have := sum(map(len, pieces))) < length:
            pieces.append(self.read(offset + have, length - have))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


Source = Ranged | Path
"""A path is the folder itself, which the caller has found to be under an allowed root."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something in a source that is no record and becomes none, said to whoever sent it."""

    code: str
    detail: str


Entry = Mapping[str, Any] | Oddity


def plain(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """A document as JSON would say it, with bytes beside; what is null is left out."""
    said = {text(name): _plain(value) for name, value in fields.items()}
    return {name: value for name, value in said.items() if value is not None}


def text(value: object) -> str:
    """Any value as a text that every store takes: no NUL, no half of a surrogate pair."""
    said = str(value).replace("\0", "")
    return said if said.isascii() else said.encode(errors="replace").decode()


_WHOLE_LIMIT: Final = 2**63


def _plain(value: object) -> Any:
    """None for what has no words in JSON."""
    return next((_SAYINGS[kind](value) for kind in type(value).__mro__ if kind in _SAYINGS), None)


def _items(value: Iterable[object]) -> list[Any]:
    return [said for item in value if (said := _plain(item)) is not None]


def _whole(value: int) -> int | str:
    """A number that 64 bits with a sign do not hold is told by its digits: it may be an id."""
    return value if -_WHOLE_LIMIT <= value < _WHOLE_LIMIT else str(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _decimal(value: Decimal) -> float | int | str | None:
    if not value.is_finite():
        return None
    return _whole(int(value)) if value == value.to_integral_value() else float(value)


_SAYINGS: Final[Mapping[type, Callable[[Any], Any]]] = {
    str: text,
    bytes: bytes,
    bool: bool,
    int: _whole,
    float: _finite,
    dict: plain,
    list: _items,
    tuple: _items,
    Decimal: _decimal,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    UUID: str,
}
