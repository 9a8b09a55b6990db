"""How one segment is searched: every passing row, or a graph or trees where that pays."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shared.hits import DEFAULT_BLEND
from shared.index.accelerator import Found, Mask, Rows
from shared.index.faiss import EF_ANY_BLEND, EF_DEFAULT_BLEND
from shared.index.view import SegmentView
from shared.spaces import SpaceName
from shared.vectors import Floats

Way = Literal["exact", "faiss", "annoy"]

FEW_PASS = 0.03
"""Up to this part of a segment, looking at every passing row is quicker than any detour."""
EF_FILTERED = 256
TREES_ROWS = 4
"""Trees are asked for so many rows where a graph would keep one candidate."""
TRIAL = 64
"""So many of the nearest, unfiltered, tell whether the filter is related to the query."""
ROWS_A_STEP = 64
"""About how many rows a scan reads in the time that a graph takes for one candidate."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How every segment is asked: for what, by which backend, with how many candidates."""

    query: Floats
    way: Way
    ef: int


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """The nearest rows of a segment. What was not fetched is no nearer than `floor`.

    `scanned`: no passing row was overlooked. `seen` counts rows looked at, for a graph the
    candidates it was told to keep.
    """

    similarities: Floats
    rows: Rows
    whole: bool
    scanned: bool
    step: str
    seen: int

    @property
    def floor(self) -> float:
        """Nothing is left below when everything that passes was fetched."""
        return -math.inf if self.whole else float(self.similarities[-1])


def ef_of(blend: Mapping[SpaceName, float]) -> int:
    """A graph is built over all spaces; what weighs them in another way has to look further."""
    usual = sum(DEFAULT_BLEND.values())
    total = sum(abs(weight) for weight in blend.values())
    same = all(
        math.isclose(blend.get(name, 0) * usual, weight * total, abs_tol=1e-9)
        for name, weight in DEFAULT_BLEND.items()
    )
    return EF_DEFAULT_BLEND if same else EF_ANY_BLEND


def fetch(segment: SegmentView, look: Look, k: int, mask: Mask) -> Fetched | None:
    """About the k nearest rows of the mask, or all; None where no row is in it."""
    passing = segment.live_rows if mask is segment.live else int(np.count_nonzero(mask))
    if not passing:
        return None
    k = min(k, passing)
    found: Fetched | None = None
    if passing > FEW_PASS * segment.rows:
        if look.way == "faiss" and segment.has_graph:
            found = _graph(segment, look, k, mask, passing)
        elif look.way == "annoy" and segment.has_trees:
            found = _trees(segment, look, k, mask, passing)
    return found or _scan(segment, look.query, k, mask, passing)


def _scan(segment: SegmentView, query: Floats, k: int, mask: Mask, passing: int) -> Fetched:
    similarities, rows = segment.exact(query, k, mask)
    return Fetched(similarities, rows, k >= passing, scanned=True, step="exact", seen=passing)


def _graph(segment: SegmentView, look: Look, k: int, mask: Mask, passing: int) -> Fetched | None:
    """None where the graph would cost more than a scan, or came back with fewer than k."""
    filtered = passing < segment.live_rows
    if k >= passing or (filtered and passing <= EF_FILTERED * ROWS_A_STEP):
        return None
    ef = _filtered_ef(segment, look.query, k, mask) if filtered else max(look.ef, 2 * k)
    if ef > EF_FILTERED and ef * ROWS_A_STEP >= passing:
        return None
    found = segment.graph(look.query, k, ef, mask if filtered else None)
    return _likely(found, k, f"graph(ef={ef})", ef)


def _filtered_ef(segment: SegmentView, query: Floats, k: int, mask: Mask) -> int:
    """So many candidates that some four times k pass, as the neighbourhood of the query does.

    A filter unrelated to the query leaves few there, so this grows beyond what a scan costs.
    """
    _, near = segment.graph(query, TRIAL, TRIAL)
    passing = int(np.count_nonzero(mask[near]))
    if not passing:
        return segment.rows
    return max(EF_FILTERED, math.ceil(4 * k * len(near) / passing))


def _trees(segment: SegmentView, look: Look, k: int, mask: Mask, passing: int) -> Fetched | None:
    """Trees cannot filter: enough are asked for that twice k should pass, and a scan if not."""
    wanted = max(TREES_ROWS * look.ef, math.ceil(2 * k * segment.rows / passing))
    if k >= passing or wanted >= passing:
        return None
    similarities, rows = segment.trees(look.query, wanted)
    passed = mask[rows]
    found = similarities[passed][:k], rows[passed][:k]
    return _likely(found, k, f"trees(n={wanted})", wanted)


def _likely(found: Found, k: int, step: str, seen: int) -> Fetched | None:
    similarities, rows = found
    if len(rows) < k:
        return None
    return Fetched(similarities, rows, whole=False, scanned=False, step=step, seen=seen)
