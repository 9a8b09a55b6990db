"""One shard's hits: rows are fetched until nothing that was left out could be among them."""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.search import merge
from services.search.facets import counts
from services.search.merge import Candidate
from services.search.planner import Fetched, Look, fetch
from services.search.query import Query
from shared.errors import DeadlineExceeded
from shared.hits import Hit, SearchRequest
from shared.index.accelerator import Mask, Rows
from shared.index.view import SegmentView, ShardView
from shared.spaces import SpaceName
from shared.vectors import Floats

GROWTH = 4
SPARE = 8
"""Rows beyond the expected need, so that most searches need no second round."""


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A search as every shard gets it; `until` is by this process' monotonic clock."""

    request: SearchRequest
    query: Query
    look: Look
    left_out: frozenset[str]
    until: float


@dataclass(frozen=True, slots=True, eq=False)
class ShardPage:
    """What a shard answers; `steps` counts plans by their text, facets are not cut yet."""

    hits: tuple[Hit, ...]
    steps: Counter[str]
    seen: int
    facets: Mapping[str, Counter[str]]


def page(view: ShardView, ask: Ask) -> ShardPage:
    """The first `limit` hits behind the cursor, as this view shows them."""
    request = ask.request
    masks = [segment.passing(request.filter) for segment in view.segments]
    facets = {
        facet.field: counts(view.segments, masks, facet.field, lambda: check(ask))
        for facet in request.facets
    }
    fetched: dict[int, Fetched] = {}
    k = _first_k(view, ask)
    while True:
        _fetch_more(view, masks, ask, k, fetched)
        candidates, cut = _candidates(view, ask, fetched, k)
        found = merge.ranked(candidates, request.group_by)
        floor = max(cut, *(part.floor for part in fetched.values()), -math.inf)
        sure = merge.certain(found, floor)
        chosen = merge.after(sure, request.after)[: request.limit]
        if enough(chosen, sure, floor, request):
            break
        k *= GROWTH
    return ShardPage(
        _hits(view, chosen, ask.query),
        Counter(part.step for part in fetched.values()),
        sum(part.seen for part in fetched.values()),
        facets,
    )


def check(ask: Ask) -> None:
    """Between steps: nobody waits for an answer that comes after the deadline."""
    if time.monotonic() > ask.until:
        raise DeadlineExceeded("no answer by the deadline")


def _first_k(view: ShardView, ask: Ask) -> int:
    """A guess at how many rows hold the page; behind a cursor lie pages of unknown depth."""
    wanted = ask.request.limit + len(ask.left_out)
    if ask.request.after is not None:
        wanted *= GROWTH
    rows = sum(segment.rows for segment in view.segments)
    products = sum(segment.segment.ref.products for segment in view.segments)
    images = rows / products if products and ask.request.group_by == "product" else 1.0
    return math.ceil(wanted * max(1.0, images)) + SPARE


def _fetch_more(
    view: ShardView, masks: list[Mask], ask: Ask, k: int, fetched: dict[int, Fetched]
) -> None:
    for number, segment in enumerate(view.segments):
        before = fetched.get(number)
        if before is not None and before.whole:
            continue
        check(ask)
        found = fetch(segment, ask.look, k, masks[number])
        if found is not None:
            seen = found.seen + (before.seen if before else 0)
            fetched[number] = replace(found, seen=seen)


def enough(
    chosen: list[Candidate], sure: list[Candidate], floor: float, request: SearchRequest
) -> bool:
    """Whether looking at more rows would change nothing of the page."""
    least = -math.inf if request.min_similarity is None else request.min_similarity
    return (
        len(chosen) >= request.limit
        or len(sure) >= merge.DEPTH
        or floor == -math.inf
        or floor + merge.SLACK < least
    )


def _candidates(
    view: ShardView, ask: Ask, fetched: Mapping[int, Fetched], k: int
) -> tuple[list[Candidate], float]:
    """The best k rows of all segments, and a similarity that no other fetched row exceeds.

    A name costs more than a comparison, and many segments fetch many rows for nothing.
    """
    compared = {n: _compared(view.segments[n], part, ask.query) for n, part in fetched.items()}
    cut = _kth([similarity for _, near in compared.values() for similarity in near], k)
    least = -math.inf if ask.request.min_similarity is None else ask.request.min_similarity
    found = []
    for number, (rows, near) in compared.items():
        kept = [i for i, similarity in enumerate(near) if similarity >= cut and similarity >= least]
        named = view.segments[number].hits(rows[kept])
        found += [
            Candidate(near[i], product_id, image, number, int(rows[i]))
            for i, (product_id, image) in zip(kept, named, strict=True)
            if product_id not in ask.left_out
        ]
    return found, cut


def _compared(segment: SegmentView, part: Fetched, query: Query) -> tuple[Rows, list[float]]:
    rows = part.rows if part.scanned else _with_siblings(segment, part.rows)
    return rows, merge.similarities(segment.vectors(rows), query.blended)


def _kth(similarities: list[float], k: int) -> float:
    """The k-th highest; lower than all when there are no more than k."""
    return sorted(similarities)[-k] if len(similarities) > k else -math.inf


def _with_siblings(segment: SegmentView, rows: Rows) -> Rows:
    """All rows of these rows' products: a graph may find an image and miss a better one."""
    products = np.unique(segment.segment.product_of[rows]).tolist()
    return np.concatenate([segment.segment.rows_of(product) for product in products])


def _hits(view: ShardView, chosen: Sequence[Candidate], query: Query) -> tuple[Hit, ...]:
    vectors: dict[tuple[int, int], Floats] = {}
    for number in {candidate.segment for candidate in chosen}:
        rows = [candidate.row for candidate in chosen if candidate.segment == number]
        found = view.segments[number].vectors(np.array(rows))
        vectors.update(zip(((number, row) for row in rows), found, strict=True))
    parts = view.spaces.slices()
    return tuple(
        Hit(
            one.product_id,
            one.image,
            one.similarity,
            by_space(vectors[one.segment, one.row], query, parts),
            view.segments[one.segment].revision(one.row),
        )
        for one in chosen
    )


def by_space(
    vector: Floats, query: Query, parts: Mapping[SpaceName, slice]
) -> dict[SpaceName, float]:
    """The cosine of every space."""
    return {
        # float16 codes are unit length only nearly
        name: round(max(-1.0, min(1.0, float(vector[part] @ query.whole[part]))), merge.PLACES)
        for name, part in parts.items()
    }
