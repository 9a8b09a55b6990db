"""One suite for exact, FAISS and Annoy: what is shown is the same by construction."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from shared.filters import Filter, In, Range, passes
from shared.index import annoy
from shared.index.accelerator import Found, Mask
from shared.index.view import SegmentView, ShardView
from shared.vectors import Floats

Search = Callable[[SegmentView, Floats, int], Found]
K, OVER_FETCH = 10, 10
FILTERS: Sequence[Filter] = (
    Range("price", lt=50.0),
    Range("price", gte=999.0),
    In("in_stock", (True,)),
    In("price", (7.0,)),
    Range("price", gt=2_000.0),
)


def _exact(part: SegmentView, query: Floats, k: int) -> Found:
    return part.exact(query, k, part.passing(None))


def _faiss(part: SegmentView, query: Floats, k: int) -> Found:
    return part.graph(query, k, 64)


def _annoy(part: SegmentView, query: Floats, k: int) -> Found:
    return part.trees(query, k)


@pytest.fixture(params=[_exact, _faiss, _annoy], ids=["exact", "faiss", "annoy"])
def search(request: pytest.FixtureRequest) -> Search:
    if request.param is _annoy and not annoy.installed():
        pytest.skip("Annoy is not installed: it comes as source only")
    found: Search = request.param
    return found


def _faiss_among(part: SegmentView, query: Floats, k: int, rows: Mask) -> Found:
    return part.graph(query, k, 256, rows)


def _exact_among(part: SegmentView, query: Floats, k: int, rows: Mask) -> Found:
    return part.exact(query, k, rows)


@pytest.fixture(params=[_exact_among, _faiss_among], ids=["exact", "faiss"])
def among(request: pytest.FixtureRequest) -> Callable[[SegmentView, Floats, int, Mask], Found]:
    """Backends that can filter; that Annoy cannot is its type."""
    found: Callable[[SegmentView, Floats, int, Mask], Found] = request.param
    return found


def test_no_dead_row_is_ever_found(search: Search, view: ShardView, queries: Floats) -> None:
    part = view.segments[0]
    assert not part.live.all()
    for query in queries:
        for k in (1, K, 300):
            _, rows = search(part, query, k)
            assert part.live[rows].all()


def test_hits_are_sorted_distinct_and_at_most_k(
    search: Search, view: ShardView, queries: Floats
) -> None:
    for query in queries:
        for k in (1, K, 300):
            similarities, rows = search(view.segments[0], query, k)
            assert len(rows) == len(similarities) == len(set(rows.tolist())) <= k
            assert (np.diff(similarities) <= 0).all()


def test_similarity_is_the_inner_product_with_the_codes(
    search: Search, view: ShardView, queries: Floats
) -> None:
    part = view.segments[0]
    for query in queries:
        similarities, rows = search(part, query, K)
        assert similarities.dtype == np.float32
        np.testing.assert_allclose(similarities, part.vectors(rows) @ query, atol=2e-6)


def test_all_backends_give_a_row_the_same_similarity_to_the_bit(
    search: Search, view: ShardView, queries: Floats
) -> None:
    part = view.segments[0]
    for query in queries:
        values, every_row = _exact(part, query, part.rows)
        everything = dict(zip(every_row.tolist(), values.tolist(), strict=True))
        similarities, rows = search(part, query, K)
        assert [everything[row] for row in rows.tolist()] == similarities.tolist()


def test_more_than_there_is_gives_what_there_is(view: ShardView, queries: Floats) -> None:
    part = view.segments[0]
    _, rows = _exact(part, queries[0], 10**6)
    assert sorted(rows.tolist()) == np.flatnonzero(part.live).tolist()


@pytest.mark.parametrize("condition", FILTERS, ids=str)
def test_the_filter_holds_by_the_winners_attributes(
    condition: Filter,
    among: Callable[[SegmentView, Floats, int, Mask], Found],
    view: ShardView,
    queries: Floats,
) -> None:
    part = view.segments[0]
    mask = part.passing(condition)
    for query in queries[:20]:
        _, rows = among(part, query, K, mask)
        assert part.live[rows].all()
        assert all(passes(condition, part.attributes(row)) for row in rows.tolist())


@pytest.mark.parametrize("condition", FILTERS, ids=str)
def test_exact_finds_the_best_of_what_passes(
    condition: Filter, view: ShardView, queries: Floats
) -> None:
    part = view.segments[0]
    rows = [
        row for row in np.flatnonzero(part.live).tolist() if passes(condition, part.attributes(row))
    ]
    truth = np.sort(part.vectors(np.array(rows, dtype=np.int64)) @ queries[1])[::-1][:K]
    similarities, _ = part.exact(queries[1], K, part.passing(condition))
    np.testing.assert_allclose(similarities, truth, atol=2e-6)


@pytest.mark.parametrize(
    ("name", "floor"), [("faiss", 0.95), ("annoy", 0.85)], ids=["faiss", "annoy"]
)
def test_accelerators_find_most_of_the_nearest(
    name: str, floor: float, view: ShardView, queries: Floats
) -> None:
    if name == "annoy" and not annoy.installed():
        pytest.skip("Annoy is not installed: it comes as source only")
    part, found = view.segments[0], 0
    for query in queries:
        truth = _exact(part, query, K)[1]
        trees = name == "annoy"
        _, rows = part.trees(query, K * OVER_FETCH) if trees else part.graph(query, K, 64)
        found += len(np.intersect1d(truth, rows[:K]))
    assert found / (K * len(queries)) >= floor


@pytest.mark.parametrize("condition", FILTERS[:3], ids=str)
def test_a_filtered_graph_finds_most_of_the_nearest(
    condition: Filter, view: ShardView, queries: Floats
) -> None:
    part = view.segments[0]
    mask = part.passing(condition)
    wanted = found = 0
    for query in queries:
        truth = part.exact(query, K, mask)[1]
        found += len(np.intersect1d(truth, part.graph(query, K, 256, mask)[1]))
        wanted += len(truth)
    assert found >= 0.95 * wanted
