"""The cheapest way that is right: scan what is small or narrow, walk the graph where it pays."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.search import planner
from services.search.planner import Look
from services.search.shards import Shards
from shared.filters import In
from shared.index import annoy
from shared.index.view import SegmentView
from shared.vectors import Floats

SOME = In("brand", ("Bo",))


@pytest.fixture
def segment(shelf: Any, shards: Shards) -> SegmentView:
    """1,500 rows with graph and trees; a third is of brand Bo, ten of brand Few."""
    shelf.index()
    entries = [
        *shelf.entries(*range(990)),
        *shelf.entries(*range(990, 1_490), brand="Bo"),
        *shelf.entries(*range(1_490, 1_500), brand="Few"),
    ]
    shelf.commit(entries, graph=True, trees=True)
    shards.refresh()
    view = shards.get("idx").shards[0].view  # type: ignore[union-attr]
    assert view is not None
    return view.segments[0]


@pytest.fixture
def query() -> Floats:
    return np.random.default_rng(5).normal(size=12).astype("f4")


def fetched(segment: SegmentView, query: Floats, k: int, condition: Any, way: Any) -> Any:
    return planner.fetch(segment, Look(query, way, 64), k, segment.passing(condition))


def test_an_unfiltered_search_walks_the_graph(segment: SegmentView, query: Floats) -> None:
    found = fetched(segment, query, 10, None, "faiss")
    assert (found.step, len(found.rows), found.whole) == ("graph(ef=64)", 10, False)


def test_the_exact_way_never_walks(segment: SegmentView, query: Floats) -> None:
    found = fetched(segment, query, 10, None, "exact")
    assert (found.step, found.seen, found.scanned) == ("exact", 1_500, True)


@pytest.mark.parametrize("way", ["exact", "faiss", "annoy"])
def test_few_passing_rows_are_scanned(segment: SegmentView, query: Floats, way: Any) -> None:
    found = fetched(segment, query, 20, In("brand", ("Few",)), way)
    assert (found.step, found.seen, found.whole) == ("exact", 10, True)


@pytest.mark.parametrize("way", ["exact", "faiss", "annoy"])
def test_where_nothing_passes_nothing_is_read(
    segment: SegmentView, query: Floats, way: Any
) -> None:
    assert fetched(segment, query, 20, In("brand", ("Nobody",)), way) is None


def test_a_related_filter_walks_a_broader_graph(
    segment: SegmentView, query: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "ROWS_A_STEP", 1)
    found = fetched(segment, query, 10, SOME, "faiss")
    assert found.step == "graph(ef=256)"
    assert segment.passing(SOME)[found.rows].all()


def test_an_unrelated_filter_is_scanned(segment: SegmentView, query: Floats) -> None:
    _, near = segment.exact(query, 400, segment.live)
    mask = segment.live.copy()
    mask[near] = False
    found = planner.fetch(segment, Look(query, "faiss", 64), 10, mask)
    assert found is not None
    assert found.step == "exact"
    assert mask[found.rows].all()


@pytest.mark.skipif(not annoy.installed(), reason="Annoy is not installed")
def test_trees_are_asked_for_more_when_a_filter_takes_some_away(
    segment: SegmentView, query: Floats
) -> None:
    assert fetched(segment, query, 10, None, "annoy").step == "trees(n=256)"
    found = fetched(segment, query, 40, SOME, "annoy")
    assert found.step in ("trees(n=256)", "exact")
    assert len(found.rows) == 40
    assert segment.passing(SOME)[found.rows].all()


@pytest.mark.skipif(not annoy.installed(), reason="Annoy is not installed")
def test_trees_that_come_short_are_followed_by_a_scan(segment: SegmentView, query: Floats) -> None:
    _, near = segment.exact(query, 800, segment.live)
    mask = segment.live.copy()
    mask[near] = False
    found = planner.fetch(segment, Look(query, "annoy", 64), 10, mask)
    assert found is not None
    assert found.step == "exact"


def test_a_graph_that_comes_short_is_followed_by_a_scan(
    segment: SegmentView, query: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SegmentView.graph

    def short(self: Any, query: Any, k: int, ef: int, rows: Any = None) -> Any:
        return tuple(part[: k - 1] for part in full(self, query, k, ef, rows))

    monkeypatch.setattr(SegmentView, "graph", short)
    found = fetched(segment, query, 10, None, "faiss")
    assert (found.step, len(found.rows)) == ("exact", 10)


def test_a_segment_without_a_graph_is_scanned(segment: SegmentView, query: Floats) -> None:
    plain = replace(segment, segment=replace(segment.segment, with_graph=None, with_trees=None))
    assert fetched(plain, query, 10, None, "faiss").step == "exact"
    assert fetched(plain, query, 10, None, "annoy").step == "exact"


@pytest.mark.parametrize(
    ("blend", "ef"),
    [
        ({"content": 0.8, "style": 0.1, "colour": 0.1}, 128),
        ({"content": 8, "style": 1, "colour": 1}, 128),
        ({"content": 0.8, "style": 0.1, "colour": -0.1}, 256),
        ({"style": 1.0}, 256),
    ],
)
def test_other_blends_look_further(blend: Any, ef: int) -> None:
    assert planner.ef_of(blend) == ef


@pytest.mark.parametrize("way", ["faiss", "annoy"])
def test_everything_is_asked_of_a_scan(segment: SegmentView, query: Floats, way: Any) -> None:
    found = fetched(segment, query, 9_999, None, way)
    assert (found.step, found.whole, len(found.rows)) == ("exact", True, 1_500)
