"""`shared.filters.passes`, asked of all products of a segment at once."""

import math
import re
import sys
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.filters import And, Filter, In, Not, Or, Range, Under, passes
from shared.index.columns import LISTS, TEXTS, Bools, Columns, Ints, token
from shared.products import Scalar

_TEXT = pa.large_string()
_SURROGATE = re.compile("[\ud800-\udfff]")


def matching(condition: Filter, columns: Columns) -> Bools:
    """Which products pass; the same as `passes` of each one's attributes."""
    match condition:
        case And(parts):
            return reduce(np.logical_and, [matching(p, columns) for p in parts], _all(columns))
        case Or(parts):
            return reduce(np.logical_or, [matching(p, columns) for p in parts], ~_all(columns))
        case Not(part):
            return ~matching(part, columns)
        case Under(path):
            return _under(path, columns)
        case In():
            return _in(condition, columns)
        case Range():
            return _range(condition, columns)


def _all(columns: Columns) -> Bools:
    return np.ones(len(columns), dtype=np.bool_)


def _under(path: tuple[str, ...], columns: Columns) -> Bools:
    offsets, names = columns.offsets("category"), columns.column("category").values
    first, found = offsets[:-1], np.diff(offsets) >= len(path)
    for depth, name in enumerate(path):
        same = np.append(
            _is_in(names, _texts([name])), False
        )  # what is too short looks past the end
        found &= same[np.minimum(first + depth, len(names))]
    return found


def _in(condition: In, columns: Columns) -> Bools:
    field, values = condition.field, condition.values
    if field in TEXTS:
        return _is_in(columns.column(field), _texts(values))
    if field in LISTS:
        return _any(_is_in(columns.column(field).values, _texts(values)), columns.offsets(field))
    if field == "price":
        return np.isin(columns.numbers(field), _exact(values))
    if field == "in_stock":
        wanted = [value for value in values if isinstance(value, bool)]
        return _is_in(columns.column(field), wanted, pa.bool_())
    if not _declared(field, columns):
        return _one_by_one(condition, columns)
    return _is_in(columns.column(field), [token(v) for v in values if not _is_nan(v)])


def _range(condition: Range, columns: Columns) -> Bools:
    if condition.field == "price":
        name = "price"
    elif _declared(condition.field, columns):
        name = f"number.{condition.field.removeprefix('custom.')}"
    else:
        return _one_by_one(condition, columns)
    numbers, found = columns.numbers(name), _booleans(columns.column(name).is_valid())
    for compare, bound in (
        (np.greater, condition.gt),
        (np.greater_equal, condition.gte),
        (np.less, condition.lt),
        (np.less_equal, condition.lte),
    ):
        if bound is not None:
            found &= compare(numbers, bound)
    return found


def _declared(field: str, columns: Columns) -> bool:
    return field.removeprefix("custom.") in columns.declared and field.startswith("custom.")


def _one_by_one(condition: Filter, columns: Columns) -> Bools:
    """For fields without a column of their own."""
    found = (passes(condition, columns.attributes(i)) for i in range(len(columns)))
    return np.fromiter(found, dtype=np.bool_, count=len(columns))


def _is_in(column: Any, values: Sequence[Scalar], kind: pa.DataType = _TEXT) -> Bools:
    return _booleans(pc.is_in(column, value_set=pa.array(values, type=kind)))


def _booleans(column: Any) -> Bools:
    found: Bools = column.to_numpy(zero_copy_only=False)
    return found.copy() if not found.flags.writeable else found


def _any(members: Bools, offsets: Ints) -> Bools:
    """Whether any member of each list is."""
    before = np.concatenate(([0], np.cumsum(members)))
    found: Bools = before[offsets[1:]] > before[offsets[:-1]]
    return found


def _texts(values: Sequence[Scalar]) -> list[Scalar]:
    """Lone surrogates cannot be stored, so nothing equals them."""
    return [v for v in values if isinstance(v, str) and not _SURROGATE.search(v)]


def _exact(values: Sequence[Scalar]) -> list[float]:
    """Numbers that a float can equal; an integer in between two floats equals none."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return [float(v) for v in numbers if abs(v) <= sys.float_info.max and float(v) == v]


def _is_nan(value: Scalar) -> bool:
    return isinstance(value, float) and math.isnan(value)
