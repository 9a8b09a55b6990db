"""The `Searcher` port on the shards of this process."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from services.search import facets
from services.search.fanout import FanOut
from services.search.merge import DEPTH
from services.search.page import Ask, ShardPage, page
from services.search.planner import Look, Way, ef_of
from services.search.query import mean_of, query_of
from services.search.shards import HeldIndex, HeldShard, Shards
from shared.errors import Invalid, NotConfigured, NotFound
from shared.hits import (
    BackendChoice,
    FacetCount,
    SearchAnswer,
    SearchRequest,
    ShardFailure,
    merged,
    most_frequent,
    plan_of,
)
from shared.index.view import ShardView
from shared.indexes import Index
from shared.seams.searcher import BackendState

ANNOY_ABSENT = (
    "Annoy is not installed here. It comes as source and needs a C++ compiler: install one "
    "(apt-get install g++), then run `make setup`, and rebuild the index so that it gets trees."
)
ELASTICSEARCH_ABSENT = (
    "Elasticsearch is not configured. LOOKALIKE_ELASTICSEARCH=http://host:9200 names one; "
    "the embedded way to run (`lookalike demo`) goes without it: ask exact, faiss or annoy."
)


class LocalSearcher:
    """Searches what `Shards` shows. `annoy`: whether Annoy is installed."""

    def __init__(self, shards: Shards, *, annoy: bool) -> None:
        self._shards, self._annoy = shards, annoy
        self._fanout: FanOut[ShardPage] = FanOut()

    def close(self) -> None:
        self._fanout.close()

    def search(self, request: SearchRequest) -> SearchAnswer:
        until = time.monotonic() + request.deadline_ms / 1_000
        way = self._way(request.backend)
        held = held_index(self._shards, request.index, request.tenant)
        check(request, held.index)
        query = query_of(request, held.index.spaces, partial(mean_of, held=held))
        left_out = request.leave_out | {part.product_id for part in request.products}
        forced: Way = "exact" if request.exact else way
        look = Look(query.blended, forced, ef_of(request.blend))
        ask = Ask(request, query, look, left_out, until)
        shown = {n: shard.view for n, shard in held.shards.items() if shard.view is not None}
        pages, late = self._fanout.ask(_questions(shown, ask), until)
        failed = _failures(held, late)
        return _answer(request, way, {n: (shown[n], p) for n, p in pages.items()}, failed)

    def backends(self, index: str) -> Sequence[BackendState]:
        held = held_index(self._shards, index)
        failures = _failures(held, {}).items()
        mine = [f"shard {n}: {why}" for n, why in failures if self._shards.holds(n)]
        trouble = "; ".join(mine) or None
        healthy = trouble is None
        return [
            BackendState("exact", configured=True, healthy=healthy, reason=trouble),
            BackendState("faiss", configured=True, healthy=healthy, reason=trouble),
            BackendState("annoy", configured=True, healthy=healthy, reason=trouble)
            if self._annoy
            else BackendState("annoy", configured=False, healthy=False, reason=ANNOY_ABSENT),
            BackendState(
                "elasticsearch", configured=False, healthy=False, reason=ELASTICSEARCH_ABSENT
            ),
        ]

    def _way(self, choice: BackendChoice) -> Way:
        match choice:
            case "auto" | "faiss":
                return "faiss"
            case "exact":
                return "exact"
            case "annoy":
                if self._annoy:
                    return "annoy"
                raise NotConfigured(ANNOY_ABSENT)
            case "elasticsearch":
                raise NotConfigured(ELASTICSEARCH_ABSENT)


def held_index(shards: Shards, index_id: str, tenant: str | None = None) -> HeldIndex:
    """The index as this process shows it; a tenant sees its own only."""
    held = shards.get(index_id)
    if held is None or tenant not in (None, held.index.tenant):
        raise NotFound(f"No index {index_id!r} is held here.", code="index_not_found")
    return held


def check(request: SearchRequest, index: Index) -> None:
    """Raises for what no backend answers."""
    if not 1 <= request.limit <= DEPTH:
        raise Invalid(f"A search answers 1 to {DEPTH:,} hits, not {request.limit:,}.")
    facets.check_fields(request.facets, index.declared)


def _questions(shown: Mapping[int, ShardView], ask: Ask) -> dict[int, Callable[[], ShardPage]]:
    return {number: partial(page, view, ask) for number, view in shown.items()}


def _failures(held: HeldIndex, late: Mapping[int, str]) -> dict[int, str]:
    """Every shard that did not give all it should, also those that nobody here holds."""
    absent = HeldShard(None, "not held by this process")
    shards = ((n, held.shards.get(n, absent)) for n in range(held.index.shards))
    return {n: late.get(n) or s.trouble or "" for n, s in shards if n in late or s.trouble}


def _answer(
    request: SearchRequest,
    way: Way,
    pages: Mapping[int, tuple[ShardView, ShardPage]],
    failed: Mapping[int, str],
) -> SearchAnswer:
    views = [view for view, _ in pages.values()]
    answers = [found for _, found in pages.values()]
    steps = sum((found.steps for found in answers), Counter[str]())
    return SearchAnswer(
        hits=merged((found.hits for found in answers), request.limit),
        backend=way,
        plan=plan_of(steps),
        rows_seen=sum(found.seen for found in answers),
        generation=min((view.generation for view in views), default=0),
        as_of=min((view.as_of for view in views), default=0),
        shards_ok=len(set(pages) - set(failed)),
        shards_failed=tuple(ShardFailure(n, failed[n]) for n in sorted(failed)),
        facets={facet.field: _facet(request, facet.field, answers) for facet in request.facets},
    )


def _facet(
    request: SearchRequest, field: str, answers: Sequence[ShardPage]
) -> tuple[FacetCount, ...]:
    wanted = next(facet for facet in request.facets if facet.field == field)
    return most_frequent(sum((a.facets[field] for a in answers), Counter[str]()), wanted.limit)
