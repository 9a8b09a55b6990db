"""The hits of one search in Elasticsearch: more and more is fetched until the page is sure.

Its graph sees rounded numbers. So more products are fetched than are wanted, with their vectors as
the catalogue has them, and compared by the same kernel as everywhere: a hit has the same six places
whatever backend found it, and a cursor is good for all.
"""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from services.search import merge
from services.search.merge import Candidate
from services.search.page import GROWTH, SPARE, by_space, enough
from services.search.planner import EF_FILTERED, ef_of
from services.search.query import Query
from shared.errors import Invalid
from shared.hits import Hit, SearchRequest
from shared.index.elasticsearch import query as words
from shared.index.elasticsearch.documents import rows_of
from shared.index.elasticsearch.port import Cluster, Late
from shared.indexes import Index
from shared.vectors import Floats

OVERSAMPLE: Final = 2
"""Of the products that the graph gives only the first half is sure: its order is of rounded numbers."""
LARGEST: Final = 10_000
"""Elasticsearch answers no more at once."""
EXACT_PRODUCTS: Final = 20_000
"""So many products can be compared one by one before their vectors take too long to come here."""
LATE: Final = "no answer by the deadline"
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A search as Elasticsearch is asked; `until` is by this process' monotonic clock."""

    request: SearchRequest
    index: Index
    query: Query
    left_out: frozenset[str]
    until: float

    @property
    def within(self) -> words.Body:
        return words.pictured(self.request.filter, self.index.declared)

    @property
    def seconds(self) -> float:
        return left(self.until)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Products with all their rows; `whole` when none that passes is missing."""

    products: Sequence[Mapping[str, Any]]
    whole: bool
    step: str
    seen: int
    failed: Mapping[int, str]


def left(until: float) -> float:
    """Seconds, for whoever still has some."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise Late(LATE)
    return seconds


def page(cluster: Cluster, ask: Ask) -> tuple[tuple[Hit, ...], Found]:
    """The first `limit` hits behind the cursor, and how they were found."""
    request, k, seen = ask.request, _first_k(ask), 0
    while True:
        found = _everything(cluster, ask) if request.exact else _nearest(cluster, ask, k)
        seen += found.seen
        rows = _Rows(ask, found)
        floor = -math.inf if found.whole else rows.floor()
        sure = merge.certain(merge.ranked(rows.candidates(), request.group_by), floor)
        chosen = merge.after(sure, request.after)[: request.limit]
        if k >= LARGEST or enough(chosen, sure, floor, request):
            return rows.hits(chosen), replace(found, seen=seen)
        k = min(LARGEST, k * GROWTH)


def asked(cluster: Cluster, ask: Ask, body: words.Body) -> Mapping[str, Any]:
    """The answer, which is whole but for shards that failed."""
    answer = cluster.search(ask.index, body, seconds=ask.seconds)
    if answer["timed_out"]:
        raise Late(LATE)
    return answer


def failed_shards(answer: Mapping[str, Any]) -> dict[int, str]:
    told = answer["_shards"].get("failures", ())
    return {one["shard"]: str(one["reason"].get("reason", "failed")) for one in told}


def _first_k(ask: Ask) -> int:
    """A guess at how many products hold the page; behind a cursor lie pages of unknown depth."""
    wanted = ask.request.limit + len(ask.left_out)
    if ask.request.after is not None:
        wanted *= GROWTH
    return min(LARGEST, OVERSAMPLE * wanted + SPARE)


def _nearest(cluster: Cluster, ask: Ask, k: int) -> Found:
    filtered = ask.request.filter is not None
    ef = EF_FILTERED if filtered else ef_of(ask.request.blend)
    candidates = min(LARGEST, max(ef, 2 * k))
    body = words.nearest(ask.query.blended, k, candidates, ask.within if filtered else None)
    answer = asked(cluster, ask, body)
    products, failed = [hit["_source"] for hit in answer["hits"]["hits"]], failed_shards(answer)
    whole = len(products) < k
    if whole and not failed:
        passing = cluster.count(ask.index, ask.within, seconds=ask.seconds)
        if len(products) < passing <= EXACT_PRODUCTS:
            return _everything(cluster, ask)  # the graph lost its way
    seen = candidates * ask.index.shards
    return Found(products, whole, f"knn(k={k} candidates={candidates})", seen, failed)


def _everything(cluster: Cluster, ask: Ask) -> Found:
    """Every passing product, so that nothing can be overlooked."""
    passing = cluster.count(ask.index, ask.within, seconds=ask.seconds)
    if passing > EXACT_PRODUCTS:
        raise Invalid(
            f"An exact search in Elasticsearch compares at most {EXACT_PRODUCTS:,} products, "
            f"here {passing:,} pass: narrow the filter, or ask backend `exact`.",
            code="exact_too_wide",
        )
    body = words.all_of(ask.within)
    pages = cluster.pages(ask.index, body, _PAGE, seconds=ask.seconds)
    products = [hit["_source"] for page in pages for hit in page]
    rows = sum(len(product["shas"]) for product in products)
    return Found(products, whole=True, step="exact", seen=rows, failed={})


class _Rows:
    """Every row of the products that were found, compared with the query."""

    def __init__(self, ask: Ask, found: Found) -> None:
        self._ask = ask
        self._rows = [(p, row) for p in found.products for row in rows_of(p)]
        codes = np.frombuffer(b"".join(row.vector for _, row in self._rows), dtype="<f2")
        shape = len(self._rows), ask.index.spaces.dim
        self._vectors: Floats = codes.astype(np.float32).reshape(shape)
        self._near = merge.similarities(self._vectors, ask.query.blended)

    def floor(self) -> float:
        """No product that was not fetched is much nearer than this."""
        best: dict[str, float] = {}
        for (product, _), near in zip(self._rows, self._near, strict=True):
            product_id = product["product_id"]
            best[product_id] = max(near, best.get(product_id, near))
        ordered = sorted(best.values(), reverse=True)
        return ordered[len(ordered) // OVERSAMPLE] if ordered else -math.inf

    def candidates(self) -> Iterable[Candidate]:
        least = self._ask.request.min_similarity
        for number, ((product, row), near) in enumerate(zip(self._rows, self._near, strict=True)):
            product_id = product["product_id"]
            if product_id not in self._ask.left_out and (least is None or near >= least):
                yield Candidate(near, product_id, row.sha256, 0, number)

    def hits(self, chosen: Iterable[Candidate]) -> tuple[Hit, ...]:
        parts = self._ask.index.spaces.slices()
        return tuple(
            Hit(
                one.product_id,
                one.image,
                one.similarity,
                by_space(self._vectors[one.row], self._ask.query, parts),
                self._rows[one.row][0]["revision"],
            )
            for one in chosen
        )
