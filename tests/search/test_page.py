"""A page is right however badly a graph did, and however many rows it takes to fill it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared.hits import Cursor, SearchAnswer, SearchRequest
from shared.index.exact import Codes
from shared.index.view import SegmentView

VECTOR = np.random.default_rng(11).normal(size=12).astype("f4").tobytes()


def search(shards: Shards, **changes: Any) -> SearchAnswer:
    searcher = LocalSearcher(shards, annoy=False)
    found = searcher.search(replace(SearchRequest("shop", "idx", "model-1", VECTOR), **changes))
    searcher.close()
    return found


def test_a_graph_that_misses_the_best_image_of_a_product_costs_no_similarity(
    shelf: Any, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index()
    shelf.commit(shelf.entries(*range(40), images=16), graph=True)
    shards.refresh()
    truth = {hit.product_id: hit for hit in search(shards, exact=True, limit=40).hits}
    full = SegmentView.graph

    def poor(self: Any, query: Any, k: int, ef: int, rows: Any = None) -> Any:
        similarities, found = full(self, query, k + 30, ef, rows)
        return similarities[30:], found[30:]

    monkeypatch.setattr(SegmentView, "graph", poor)
    answer = search(shards, limit=5)
    assert "graph" in answer.plan
    assert answer.hits
    assert all(hit == truth[hit.product_id] for hit in answer.hits)


def test_rows_are_fetched_until_the_page_is_full(
    shelf: Any, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty products of sixteen images all come before those of one image."""
    shelf.index()
    crowd = [replace(e, rows=e.rows * 16) for e in shelf.entries(*range(30))]
    shelf.commit([*crowd, *shelf.entries(*range(100, 1_000))])
    shards.refresh()
    asked: list[int] = []
    full = Codes.search

    def counted(self: Any, query: Any, k: int, mask: Any) -> Any:
        asked.append(k)
        return full(self, query, k, mask)

    monkeypatch.setattr(Codes, "search", counted)
    assert len(search(shards, limit=100).hits) == 100
    assert asked == sorted(set(asked))


def test_one_picture_in_all_offers_is_paged_by_id(shelf: Any, shards: Shards) -> None:
    shelf.index()
    (photo,) = shelf.entries(1)
    shelf.commit([replace(photo, product_id=f"offer-{n:03d}") for n in range(300)])
    shards.refresh()
    found: list[str] = []
    cursor = None
    while hits := search(shards, limit=64, after=cursor).hits:
        found += [hit.product_id for hit in hits]
        cursor = Cursor(hits[-1].similarity, hits[-1].product_id)
    assert found == [f"offer-{n:03d}" for n in range(300)]


def test_a_full_page_takes_one_round(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.commit(shelf.entries(*range(500)))
    shards.refresh()
    answer = search(shards, limit=24)
    assert (answer.plan, answer.rows_seen, len(answer.hits)) == ("1 exact", 500, 24)
