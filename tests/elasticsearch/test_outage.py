"""Elasticsearch killed, frozen and started again, on a node of its own that may be hurt."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from services.indexer.elastic import resting
from services.indexer.reconciler import audits_of_elasticsearch, one_round
from services.search.elastic import ElasticSearcher
from shared.errors import Unavailable
from shared.hits import SearchRequest
from shared.ids import new_id
from shared.index.elasticsearch.client import Cluster
from shared.index.elasticsearch.port import READ_S, Away
from shared.indexes import Index
from shared.tasks import SyncShard
from tests.servers.elasticsearch import elasticsearch_node
from tests.servers.process import Server

if TYPE_CHECKING:
    from tests.elasticsearch.conftest import Floor

TENANT, TARGET = "shop", "one/elasticsearch"
QUERY = SearchRequest(TENANT, "one", "f1", vector=np.ones(8, dtype="<f4").tobytes())


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with elasticsearch_node(tmp_path_factory.mktemp("node")) as server:
        yield server


@pytest.fixture
def hurt(node: Server, open_floor: Callable[[Cluster], "Floor"]) -> Iterator["Floor"]:
    """A house on the node that is hurt, with one product in it."""
    if not node.is_running:
        node.restart()
    with closing(Cluster(node.url, prefix=new_id("hurt"))) as cluster:
        floor = open_floor(cluster)
        floor.house.put("p", [floor.house.image("p")], title="before")
        floor.follow()
        yield floor


def test_after_a_kill_it_has_what_was_marked_and_catches_up_with_the_rest(
    hurt: "Floor", node: Server, caplog: pytest.LogCaptureFixture
) -> None:
    node.kill()
    hurt.house.put("q", [hurt.house.image("q")], title="meanwhile")
    hurt.house.delete("p")
    began = time.monotonic()
    for _ in range(5):
        assert hurt.follow() == 0
    assert time.monotonic() - began < 2  # only the first of them asks
    assert one_round(hurt.house.ports) == [SyncShard("one", 0)]
    assert hurt.house.sync() == 2  # segments do not wait for it
    assert audits_of_elasticsearch(hurt.house.ports) == 0
    assert caplog.text.count("pauses, and goes on by itself") == 1
    node.restart()
    assert set(hurt.shown()) == {"p"}
    hurt.after_the_pause()
    hurt.follow()
    assert set(hurt.shown()) == {"q"}


def test_a_frozen_node_holds_a_worker_up_for_a_moment_once_a_pause(
    hurt: "Floor", node: Server
) -> None:
    hurt.house.put("q", [])
    node.freeze()
    try:
        began = time.monotonic()
        assert hurt.follow() == 0
        asked = time.monotonic()
        assert hurt.follow() == 0
        assert asked - began < READ_S / 2
        assert time.monotonic() - asked < 1
        assert resting(hurt.house.ports, hurt.house.index)
    finally:
        node.thaw()
    hurt.after_the_pause()
    assert hurt.follow() == 1


def test_an_answer_that_got_lost_is_made_good_by_the_next_sync(
    hurt: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written is there already, which is as good as written."""
    hurt.house.put("q", [hurt.house.image("q")])

    def cut(_index: Index) -> None:
        raise Away("the connection broke")

    with monkeypatch.context() as broken:
        broken.setattr(hurt.cluster, "refresh", cut)
        assert hurt.follow() == 0
    assert TARGET in hurt.house.product("q").pending
    hurt.after_the_pause()
    assert hurt.follow() == 1
    assert set(hurt.shown()) == {"p", "q"}


def test_a_search_says_that_nobody_is_there(hurt: "Floor", node: Server) -> None:
    searcher = ElasticSearcher(hurt.cluster, hurt.house.ports.catalogue)
    assert [hit.product_id for hit in searcher.search(QUERY).hits] == ["p"]
    node.kill()
    with pytest.raises(Unavailable, match="cannot be reached"):
        searcher.search(QUERY)
    (state,) = searcher.backends("one")
    assert state.configured
    assert not state.healthy
    assert "cannot be reached" in str(state.reason)


def test_a_search_in_a_frozen_node_ends_by_its_deadline(hurt: "Floor", node: Server) -> None:
    searcher = ElasticSearcher(hurt.cluster, hurt.house.ports.catalogue)
    node.freeze()
    try:
        began = time.monotonic()
        answer = searcher.search(QUERY)
        assert time.monotonic() - began < QUERY.deadline_ms / 1_000 + 0.5
        assert answer.hits == ()
        assert [failure.reason for failure in answer.shards_failed] == ["no answer by the deadline"]
        assert not searcher.backends("one")[0].healthy
    finally:
        node.thaw()
    assert len(searcher.search(QUERY).hits) == 1


def test_what_lost_its_data_is_filled_again(hurt: "Floor") -> None:
    """Another node at the same address, as far as anybody can see: the index is not there."""
    hurt.house.put("q", [])
    hurt.follow()
    hurt.cluster.drop(hurt.cluster.name(hurt.house.index))
    searcher = ElasticSearcher(hurt.cluster, hurt.house.ports.catalogue)
    with pytest.raises(Unavailable, match="lacks the index"):
        searcher.search(QUERY)
    assert "not there yet" in str(searcher.backends("one")[0].reason)
    assert audits_of_elasticsearch(hurt.house.ports) == 1
    hurt.follow()
    assert set(hurt.shown()) == {"p", "q"}
