"""Many sorted lists into one: no product twice, an order that no tie upsets, a cursor into it.

Similarities that are compared here are rounded to six places and made from the stored vectors
alone, so they are the same whatever plan found the row, and a cursor is good for every plan.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from shared.hits import Cursor, GroupBy
from shared.vectors import Floats

DEPTH = 1_000
"""How many hits deep paging goes."""
PLACES = 6
SLACK = 1e-5
"""More than float32 sums and rounding can differ by: what is this much nearer is surely nearer."""


class Candidate(NamedTuple):
    """A row that may become a hit; `segment` and `row` say where its vector lies."""

    similarity: float
    product_id: str
    image: str
    segment: int
    row: int


def similarities(vectors: Floats, query: Floats) -> list[float]:
    """In double precision: another order of the sums gives the same six places."""
    exact = vectors.astype(np.float64) @ query.astype(np.float64)
    found: list[float] = np.clip(exact, -1, 1).round(PLACES).tolist()
    return found


def ranked(candidates: Iterable[Candidate], group_by: GroupBy) -> list[Candidate]:
    """Sorted by similarity (falling), then id; of a product the best image, or each.

    Even one by one, images of a product that are equally near count as one: a cursor has no
    place between them.
    """
    found: dict[object, Candidate] = {}
    for candidate in sorted(candidates, key=_order):
        product_id = candidate.product_id
        key = product_id if group_by == "product" else (product_id, candidate.similarity)
        found.setdefault(key, candidate)
    return list(found.values())


def _order(candidate: Candidate) -> tuple[float, str, str]:
    return -candidate.similarity, candidate.product_id, candidate.image


def certain(ordered: Sequence[Candidate], floor: float) -> list[Candidate]:
    """Those that nothing unfetched can come before; no more than paging goes deep."""
    return [c for c in ordered[:DEPTH] if c.similarity > floor + SLACK]


def after(ordered: Iterable[Candidate], cursor: Cursor | None) -> list[Candidate]:
    """What comes behind the cursor; its own place is behind nothing."""
    if cursor is None:
        return list(ordered)
    place = (-cursor.similarity, cursor.product_id)
    return [c for c in ordered if (-c.similarity, c.product_id) > place]
