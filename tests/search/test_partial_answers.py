"""A shard that hangs, breaks or is not there is named, and the others answer in time."""

import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest

from services.search.searcher import LocalSearcher
from services.search.shards import HeldIndex, Shards
from shared.errors import Unavailable
from shared.hits import SearchAnswer, SearchRequest, WeightedProduct
from shared.index.view import SegmentView
from shared.products import bucket_of, shard_of


class Frozen(SegmentView):
    """Answers when it is thawed."""

    thawed = Event()

    def exact(self, *asked: Any) -> Any:
        self.thawed.wait()
        return super().exact(*asked)


class Broken(SegmentView):
    """What no code expects."""

    def exact(self, *_asked: Any) -> Any:
        raise OSError(5, "Input/output error")


@pytest.fixture
def searcher(shelf: Any, shards: Shards) -> Iterator[LocalSearcher]:
    shelf.index(shards=3)
    shelf.commit(shelf.entries(*range(60)))
    shards.refresh()
    found = LocalSearcher(shards, annoy=False)
    Frozen.thawed.clear()
    yield found
    Frozen.thawed.set()
    found.close()


def put(shards: Shards, kind: type[SegmentView], number: int = 1) -> None:
    """Its segments become of another kind, as disks do."""
    held = shards.get("idx")
    assert held is not None
    view = held.shards[number].view
    assert view is not None
    segments = tuple(kind(s.segment, s.standing, s.winners) for s in view.segments)
    changed = replace(held.shards[number], view=replace(view, segments=segments))
    shards._held = {"idx": HeldIndex(held.index, {**held.shards, number: changed})}


def search(searcher: LocalSearcher, **changes: Any) -> SearchAnswer:
    vector = np.ones(12, dtype="f4").tobytes()
    request = SearchRequest("shop", "idx", "model-1", vector, limit=60)
    return searcher.search(replace(request, **changes))


def test_a_frozen_shard_is_named_and_the_rest_comes_in_time(
    searcher: LocalSearcher, shards: Shards
) -> None:
    whole = {hit.product_id for hit in search(searcher).hits}
    put(shards, Frozen)
    started = time.monotonic()
    answer = search(searcher, deadline_ms=200)
    assert time.monotonic() - started < 5
    assert [(f.shard, f.reason) for f in answer.shards_failed] == [(1, "no answer by the deadline")]
    assert (answer.partial, answer.shards_ok) == (True, 2)
    assert 0 < len(answer.hits) < len(whole)


def test_a_frozen_shard_does_not_hold_up_later_searches(
    searcher: LocalSearcher, shards: Shards
) -> None:
    put(shards, Frozen)
    for _ in range(12):
        assert search(searcher, deadline_ms=50).shards_ok == 2


def test_a_thawed_shard_answers_again(searcher: LocalSearcher, shards: Shards) -> None:
    put(shards, Frozen)
    for _ in range(5):
        search(searcher, deadline_ms=50)
    Frozen.thawed.set()
    assert search(searcher).shards_ok == 3


def test_a_shard_that_breaks_is_named(searcher: LocalSearcher, shards: Shards) -> None:
    put(shards, Broken, 2)
    answer = search(searcher)
    assert [(f.shard, f.reason) for f in answer.shards_failed] == [(2, "failed: OSError")]
    assert answer.hits


def test_shards_that_nobody_here_holds_are_named(shelf: Any, searcher: LocalSearcher) -> None:
    some = Shards(shelf.catalogue, shelf.blobs, replica="r2", group=0, groups=2)
    some.refresh()
    elsewhere = LocalSearcher(some, annoy=False)
    answer = search(elsewhere)
    assert [failure.shard for failure in answer.shards_failed] == [1]
    assert elsewhere.backends("idx")[0].healthy  # what others hold is theirs to tell
    elsewhere.close()
    some.close()


def test_a_stale_shard_answers_and_is_named(
    shelf: Any, searcher: LocalSearcher, shards: Shards
) -> None:
    shelf.point("idx", 0, "tenants/shop/indexes/idx/shard-0/nowhere.json")
    shards.refresh()
    answer = search(searcher)
    assert len(answer.hits) == 60
    assert [failure.shard for failure in answer.shards_failed] == [0]
    assert "cannot be opened" in answer.shards_failed[0].reason
    assert "cannot be opened" in str(searcher.backends("idx")[0].reason)


def test_a_query_product_of_a_shard_that_is_not_here_is_told(
    shelf: Any, searcher: LocalSearcher
) -> None:
    some = Shards(shelf.catalogue, shelf.blobs, replica="r2", group=0, groups=2)
    some.refresh()
    elsewhere = LocalSearcher(some, annoy=False)
    missing = next(n for n in range(60) if shard_of(bucket_of("shop", f"p{n}"), 3) == 1)
    with pytest.raises(Unavailable, match="try again"):
        search(elsewhere, products=(WeightedProduct(f"p{missing}"),))
    elsewhere.close()
    some.close()


def test_a_single_shard_looks_at_the_deadline_by_itself(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.commit(shelf.entries(1, 2))
    shards.refresh()
    searcher = LocalSearcher(shards, annoy=False)
    answer = search(searcher, deadline_ms=0)
    assert [(f.shard, f.reason) for f in answer.shards_failed] == [(0, "no answer by the deadline")]
    assert answer.hits == ()
