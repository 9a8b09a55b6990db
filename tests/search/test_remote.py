"""Search processes that die, freeze and come back: whoever is left answers, inside the deadline."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import numpy as np
import pytest

from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Unavailable
from shared.hits import SearchAnswer, SearchRequest, WeightedProduct
from shared.products import bucket_of, shard_of
from shared.seams.remote_searcher import RemoteSearcher
from tests.search.conftest import Shelf
from tests.search.process import search_process
from tests.servers.process import Server

GROUPS, SHARDS, PRODUCTS = 2, 4, 80
DEADLINE_MS = 900
"""Two processors are shared by all that runs; what is asserted is far from it."""


@dataclass(frozen=True)
class Fleet:
    """Process i is one of group i mod 2."""

    processes: list[Server]

    def searcher(self) -> RemoteSearcher:
        return RemoteSearcher([process.url for process in self.processes], GROUPS)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    folder = tmp_path_factory.mktemp("fleet")
    with SqliteCatalogue(folder / "catalogue.db") as catalogue:
        shelf = Shelf(folder, catalogue, FsspecBlobs(f"file://{folder}/blobs"))
        shelf.index(shards=SHARDS)
        shelf.commit(shelf.entries(*range(PRODUCTS)))
        with ExitStack() as stack:
            yield [
                stack.enter_context(
                    search_process(folder, i % GROUPS, GROUPS, folder / f"process-{i}")
                )
                for i in range(2 * GROUPS)
            ]


@pytest.fixture
def fleet(processes: list[Server]) -> Iterator[Fleet]:
    yield Fleet(processes)
    for process in processes:
        process.thaw()
        if not process.is_running:
            process.restart()


@pytest.fixture
def searcher(fleet: Fleet) -> Iterator[RemoteSearcher]:
    with closing(fleet.searcher()) as found:
        yield found


REQUEST = SearchRequest(
    "shop",
    "idx",
    "model-1",
    np.ones(12, dtype="f4").tobytes(),
    limit=PRODUCTS,
    deadline_ms=DEADLINE_MS,
)


def timed(searcher: RemoteSearcher, request: SearchRequest = REQUEST) -> tuple[SearchAnswer, float]:
    begun = time.monotonic()
    answer = searcher.search(request)
    return answer, (time.monotonic() - begun) * 1_000


def assert_whole(answer: SearchAnswer) -> None:
    assert (answer.partial, answer.shards_ok) == (False, SHARDS)
    assert {hit.product_id for hit in answer.hits} == {f"p{n}" for n in range(PRODUCTS)}


def assert_half(answer: SearchAnswer, missing: int) -> None:
    """All shards of a group are named, and nothing else is missing."""
    assert [failure.shard for failure in answer.shards_failed] == [missing, missing + GROUPS]
    assert answer.shards_ok == SHARDS - 2
    left = {n for n in range(PRODUCTS) if shard(f"p{n}") % GROUPS != missing}
    assert {hit.product_id for hit in answer.hits} == {f"p{n}" for n in left}


def shard(product_id: str) -> int:
    return shard_of(bucket_of("shop", product_id), SHARDS)


def test_the_twin_of_a_killed_process_answers(fleet: Fleet, searcher: RemoteSearcher) -> None:
    assert_whole(searcher.search(REQUEST))
    fleet.processes[1].kill()
    for _ in range(4):
        assert_whole(searcher.search(REQUEST))


def test_a_killed_group_is_named_shard_by_shard(fleet: Fleet, searcher: RemoteSearcher) -> None:
    fleet.processes[1].kill()
    fleet.processes[3].kill()
    answer, took = timed(searcher)
    assert_half(answer, missing=1)
    assert took < DEADLINE_MS / 2
    assert "search process 3 does not answer: Connection refused" in answer.shards_failed[0].reason


def test_a_frozen_process_is_overtaken_by_its_twin(fleet: Fleet, searcher: RemoteSearcher) -> None:
    assert_whole(searcher.search(REQUEST))
    fleet.processes[0].freeze()
    times = []
    for _ in range(6):
        answer, took = timed(searcher)
        assert_whole(answer)
        times.append(took)
    assert max(times) < DEADLINE_MS
    # It is waited for at most once a second, not by every second search.
    assert sum(took > DEADLINE_MS / 4 for took in times) <= 2


def test_a_frozen_group_costs_its_shards_and_not_the_deadline(
    fleet: Fleet, searcher: RemoteSearcher
) -> None:
    fleet.processes[0].freeze()
    fleet.processes[2].freeze()
    answer, took = timed(searcher)
    assert_half(answer, missing=0)
    assert took < DEADLINE_MS + 300
    assert "no answer by the deadline" in answer.shards_failed[0].reason


def test_a_process_that_comes_back_is_asked_again(fleet: Fleet, searcher: RemoteSearcher) -> None:
    assert_whole(searcher.search(REQUEST))
    for process in fleet.processes:
        process.restart()
    # Every connection that was kept is dead.
    assert_whole(searcher.search(REQUEST))
    fleet.processes[2].kill()
    assert_whole(searcher.search(REQUEST))
    fleet.processes[2].restart()
    fleet.processes[0].kill()
    eventually(lambda: not searcher.search(REQUEST).partial)


def test_without_any_process_there_is_no_answer(fleet: Fleet, searcher: RemoteSearcher) -> None:
    for process in fleet.processes:
        process.kill()
    with pytest.raises(Unavailable, match="search process 0 does not answer"):
        searcher.search(REQUEST)
    with pytest.raises(Unavailable):
        searcher.backends("idx")


def test_a_product_is_looked_for_in_the_group_that_holds_it(
    fleet: Fleet, searcher: RemoteSearcher
) -> None:
    here = next(f"p{n}" for n in range(PRODUCTS) if shard(f"p{n}") % GROUPS == 0)
    there = next(f"p{n}" for n in range(PRODUCTS) if shard(f"p{n}") % GROUPS == 1)
    both = replace(
        REQUEST, vector=None, products=(WeightedProduct(here), WeightedProduct(there, 0.5))
    )
    found = {hit.product_id for hit in searcher.search(both).hits}
    assert found == {f"p{n}" for n in range(PRODUCTS)} - {here, there}
    fleet.processes[1].kill()
    fleet.processes[3].kill()
    answer = searcher.search(replace(both, products=(WeightedProduct(here),)))
    assert [failure.shard for failure in answer.shards_failed] == [1, 3]
    with pytest.raises(Unavailable, match=f"'{there}'"):
        searcher.search(both)


def test_a_backend_is_well_while_every_group_has_a_process(
    fleet: Fleet, searcher: RemoteSearcher
) -> None:
    assert searcher.backends("idx")[0].healthy
    fleet.processes[1].kill()
    assert searcher.backends("idx")[0].healthy
    fleet.processes[3].kill()
    state = searcher.backends("idx")[0]
    assert (state.configured, state.healthy) == (True, False)
    assert "search process" in str(state.reason)


def eventually(condition: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
