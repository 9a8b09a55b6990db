"""How many products that pass the filter have each value of a field."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import Invalid
from shared.filters import FIELDS
from shared.hits import FacetRequest
from shared.index.accelerator import Mask
from shared.index.columns import Ints
from shared.index.segment import Segment
from shared.index.view import SegmentView

PATH_SEPARATOR = " > "
"""Between the names of a category path."""


def counts(
    segments: Sequence[SegmentView], masks: Sequence[Mask], field: str, check: Callable[[], None]
) -> Counter[str]:
    """Every product once, by what its winner says; `check` may stop it between segments."""
    found: Counter[str] = Counter()
    for view, mask in zip(segments, masks, strict=True):
        check()
        for segment, products in _speakers(view, mask):
            found.update(_values(segment, products, field))
    return found


def check_fields(requests: Sequence[FacetRequest], declared: Sequence[str]) -> None:
    known = (*FIELDS, *(f"custom.{name}" for name in declared))
    for request in requests:
        if request.field not in known:
            raise Invalid(
                f"No facet over {request.field!r}; there are: {', '.join(known)}.",
                code="bad_facet",
            )


def _speakers(view: SegmentView, mask: Mask) -> Iterator[tuple[Segment, Ints]]:
    """Which segments say the attributes of the products whose rows are in the mask."""
    rows = view.segment.product_of[mask]
    products = rows[np.append(True, rows[1:] != rows[:-1])] if len(rows) else rows
    for name, (here, there) in view.standing.overrides.items():
        yield view.winners[name], there[np.isin(here, products)]
        products = products[~np.isin(products, here)]
    yield view.segment, products


def _values(segment: Segment, products: Ints, field: str) -> Mapping[str, int]:
    column: Any = segment.columns.column(field).take(pa.array(products))
    if field == "category":
        column = pc.binary_join(column, pa.scalar(PATH_SEPARATOR, column.type.value_type))
    elif field == "tags":
        column = _distinct(column)
    texts = _texts(column.drop_null(), field)
    return {value: count for value, count in texts if value}


def _distinct(lists: Any) -> Any:
    """The members of all lists, each once a list."""
    owners, members = pc.list_parent_indices(lists), pc.list_flatten(lists)
    return (
        pa.table([owners, members], ["owner", "member"])
        .group_by(["owner", "member"])
        .aggregate([])["member"]
    )


def _texts(column: Any, field: str) -> Iterator[tuple[str, int]]:
    for pair in pc.value_counts(column).to_pylist():
        value, count = pair["values"], pair["counts"]
        value = json.loads(value) if field.startswith("custom.") else value
        yield value if isinstance(value, str) else json.dumps(value), count
