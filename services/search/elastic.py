"""The `Searcher` port on Elasticsearch."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from services.search.elastic_page import LATE, Ask, asked, failed_shards, left, page
from services.search.query import query_of
from services.search.searcher import check
from shared.catalogue.port import Catalogue
from shared.errors import LookalikeError, NotConfigured, NotFound, Unavailable
from shared.hits import (
    FacetCount,
    SearchAnswer,
    SearchRequest,
    ShardFailure,
    most_frequent,
    not_searchable,
    plan_of,
)
from shared.index.elasticsearch import query as words
from shared.index.elasticsearch.documents import id_of, rows_of
from shared.index.elasticsearch.port import Away, Cluster, Late
from shared.indexes import Index
from shared.seams.searcher import BackendState
from shared.vectors import Floats, from_bytes, unit_spaces

FRESH_S: Final = 1.0
"""How long what was looked up of an index is believed."""


@dataclass(frozen=True, slots=True)
class Glance:
    """Something looked up at `at`, by this process' monotonic clock."""

    at: float
    index: Index | None = None
    as_of: int = 0

    @property
    def fresh(self) -> bool:
        return time.monotonic() - self.at < FRESH_S


class ElasticSearcher:
    """Answers for backend `elasticsearch`, and for all shards of an index at once.

    Elasticsearch has no generations: an answer tells 0. `as_of` is when the newest documents in
    the index were read from the catalogue.
    """

    def __init__(self, cluster: Cluster, catalogue: Catalogue) -> None:
        self._cluster, self._catalogue = cluster, catalogue
        self._indexes: dict[str, Glance] = {}
        self._ages: dict[str, Glance] = {}

    def search(self, request: SearchRequest) -> SearchAnswer:
        until = time.monotonic() + request.deadline_ms / 1_000
        index = self._index(request.index, request.tenant)
        if "elasticsearch" not in index.targets:
            raise NotConfigured(_not_kept(index))
        check(request, index)
        try:
            return self._answer(request, index, until)
        except Late:
            failed = tuple(ShardFailure(n, LATE) for n in range(index.shards))
            return SearchAnswer((), "elasticsearch", plan_of({}), 0, 0, 0, 0, failed)

    def backends(self, index: str) -> Sequence[BackendState]:
        kept = self._index(index)
        if "elasticsearch" not in kept.targets:
            reason = _not_kept(kept)
            return [BackendState("elasticsearch", configured=False, healthy=False, reason=reason)]
        try:
            trouble = self._cluster.trouble(kept)
        except LookalikeError as error:
            trouble = error.detail
        healthy = trouble is None
        return [BackendState("elasticsearch", configured=True, healthy=healthy, reason=trouble)]

    def _index(self, index_id: str, tenant: str | None = None) -> Index:
        """By the catalogue; while that is away, as it was."""
        known = self._indexes.get(index_id)
        if known is None or not known.fresh:
            try:
                known = Glance(time.monotonic(), self._catalogue.indexes.get(index_id))
            except Unavailable:
                if known is None:
                    raise
            if known.index is not None:
                self._indexes[index_id] = known
        if known.index is None or tenant not in (None, known.index.tenant):
            raise NotFound(f"There is no index {index_id!r} here.", code="index_not_found")
        return known.index

    def _answer(self, request: SearchRequest, index: Index, until: float) -> SearchAnswer:
        query = query_of(request, index.spaces, partial(self._mean, index, until))
        left_out = request.leave_out | {part.product_id for part in request.products}
        ask = Ask(request, index, query, left_out, until)
        hits, found = page(self._cluster, ask)
        facets, uncounted = self._facets(ask)
        failed = {**uncounted, **found.failed}
        return SearchAnswer(
            hits=hits,
            backend="elasticsearch",
            plan=plan_of({found.step: 1}),
            rows_seen=found.seen,
            generation=0,
            as_of=self._as_of(ask),
            shards_ok=index.shards - len(failed),
            shards_failed=tuple(ShardFailure(n, failed[n]) for n in sorted(failed)),
            facets=facets,
        )

    def _mean(self, index: Index, until: float, product_id: str) -> Floats:
        """The mean direction of a product's pictures, as searches see them."""
        ids, fields = [id_of(product_id)], words.ROWS
        found = self._cluster.sources(index, ids, fields, seconds=left(until))
        rows = [row for source in found for row in rows_of(source)]
        if not rows:
            raise not_searchable(product_id, index.index_id)
        mean = np.mean([from_bytes(row.vector) for row in rows], axis=0)
        return unit_spaces(mean, index.spaces)

    def _facets(self, ask: Ask) -> tuple[Mapping[str, tuple[FacetCount, ...]], Mapping[int, str]]:
        """Over all products that pass, and the shards that did not count theirs."""
        fields = list(dict.fromkeys(facet.field for facet in ask.request.facets))
        if not fields:
            return {}, {}
        answer = asked(self._cluster, ask, words.counting(fields, ask.within, ask.index.declared))
        found = words.counted(fields, answer)
        facets = {f.field: most_frequent(found[f.field], f.limit) for f in ask.request.facets}
        return facets, failed_shards(answer)

    def _as_of(self, ask: Ask) -> int:
        """Asked once a second; nobody loses an answer for it."""
        known = self._ages.get(ask.index.index_id, Glance(-math.inf))
        if not known.fresh:
            try:
                said = asked(self._cluster, ask, words.newest())["aggregations"]["read_at"]
            except Away:
                return known.as_of
            known = Glance(time.monotonic(), as_of=int(said["value"] or 0))
            self._ages[ask.index.index_id] = known
        return known.as_of


def _not_kept(index: Index) -> str:
    return (
        f"Index {index.index_id!r} is not kept in Elasticsearch; its targets are "
        f"{', '.join(index.targets)}. Build one beside it with the target `elasticsearch`."
    )
