"""What is special about searching Elasticsearch; the laws of the port are in tests/contracts/searcher."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from services.search import elastic, elastic_page
from services.search.elastic import ElasticSearcher
from shared.errors import Conflict, Invalid, NotConfigured, NotFound, Unavailable
from shared.hits import FacetRequest, SearchRequest, ShardFailure, WeightedProduct
from shared.ids import new_id
from shared.index.elasticsearch.bulk import judged
from shared.index.elasticsearch.client import Cluster
from shared.index.elasticsearch.documents import Write, slices, write_of
from shared.index.elasticsearch.mapping import Graph, Layout
from shared.index.entries import Entry, Row
from shared.indexes import Index
from shared.products import Attributes
from shared.spaces import Space, Spaces
from shared.vectors import to_bytes
from tests.indexer.conftest import an_index

if TYPE_CHECKING:
    from tests.elasticsearch.conftest import Floor

QUERY = SearchRequest("shop", "one", "f1", vector=np.ones(8, dtype="<f4").tobytes())


@pytest.fixture
def searcher(floor: "Floor") -> ElasticSearcher:
    floor.house.stock(12)
    floor.follow()
    return ElasticSearcher(floor.cluster, floor.house.ports.catalogue)


def test_an_exact_search_that_would_take_too_long_says_what_to_do(
    searcher: ElasticSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_page, "EXACT_PRODUCTS", 11)
    with pytest.raises(Invalid, match="ask backend `exact`") as caught:
        searcher.search(replace(QUERY, exact=True))
    assert caught.value.kind == "exact_too_wide"


Change = Callable[[dict[str, Any]], object]


def changed(floor: "Floor", monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Answers of the graph as they seldom are."""
    search = floor.cluster.search

    def answered(index: Index, body: Mapping[str, Any], *, seconds: float) -> Mapping[str, Any]:
        answer = dict(search(index, body, seconds=seconds))
        if "knn" in body:
            change(answer)
        return answer

    monkeypatch.setattr(floor.cluster, "search", answered)


def test_a_graph_that_lost_its_way_is_made_good_by_looking_at_everything(
    searcher: ElasticSearcher, floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(answer: dict[str, Any]) -> None:
        del answer["hits"]["hits"][3:]

    changed(floor, monkeypatch, lose)
    answer = searcher.search(QUERY)
    assert len(answer.hits) == 12
    assert answer.plan == "1 exact"


def test_a_shard_that_failed_is_named_and_the_rest_is_answered(
    searcher: ElasticSearcher, floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = {"shard": 0, "reason": {"type": "x", "reason": "its node is gone"}}
    changed(floor, monkeypatch, lambda answer: answer["_shards"].update(failures=[failure]))
    answer = searcher.search(QUERY)
    assert (answer.shards_ok, answer.shards_failed) == (0, (ShardFailure(0, "its node is gone"),))
    assert answer.partial
    assert answer.hits


def test_an_answer_that_was_cut_short_is_none(
    searcher: ElasticSearcher, floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(floor, monkeypatch, lambda answer: answer.update(timed_out=True))
    answer = searcher.search(QUERY)
    assert answer.hits == ()
    assert answer.shards_failed == (ShardFailure(0, "no answer by the deadline"),)


def test_an_index_that_is_not_kept_there_says_so(floor: "Floor") -> None:
    floor.house.ports.catalogue.indexes.create(floor.house.index_like("two"))
    searcher = ElasticSearcher(floor.cluster, floor.house.ports.catalogue)
    with pytest.raises(NotConfigured, match="its targets are segments"):
        searcher.search(replace(QUERY, index="two"))
    (state,) = searcher.backends("two")
    assert not state.configured


def test_a_catalogue_that_is_away_stops_no_search(
    searcher: ElasticSearcher, floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert searcher.search(QUERY).hits
    monkeypatch.setattr(elastic, "FRESH_S", 0)

    def away() -> None:
        raise Unavailable("the catalogue is away")

    house = floor.house.interrupted("indexes.get", away)
    monkeypatch.setattr(searcher, "_catalogue", house.ports.catalogue)
    assert searcher.search(QUERY).hits


def test_an_index_that_was_dropped_is_not_found_any_more(
    searcher: ElasticSearcher, floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic, "FRESH_S", 0)
    floor.house.ports.catalogue.indexes.drop("one")
    with pytest.raises(NotFound):
        searcher.search(QUERY)


def test_a_product_can_be_looked_for_as_soon_as_it_is_marked(floor: "Floor") -> None:
    searcher = ElasticSearcher(floor.cluster, floor.house.ports.catalogue)
    floor.house.stock(3)
    query = replace(QUERY, vector=None, products=(WeightedProduct("p0001"),))
    floor.cluster.ensure(floor.house.index)
    with pytest.raises(Conflict, match="/v1/products/p0001/presence"):
        searcher.search(query)
    floor.follow()
    assert {hit.product_id for hit in searcher.search(query).hits} == {"p0000", "p0002"}


def test_the_age_of_an_answer_is_that_of_the_newest_reading(
    searcher: ElasticSearcher, floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic, "FRESH_S", 0)
    began = searcher.search(QUERY).as_of
    floor.house.clock.forward(minutes=1)
    floor.house.put("later", [])
    floor.follow()
    assert searcher.search(QUERY).as_of == floor.house.clock.now > began


def test_a_product_without_a_vector_is_neither_found_nor_counted(floor: "Floor") -> None:
    searcher = ElasticSearcher(floor.cluster, floor.house.ports.catalogue)
    floor.house.put("seen", [floor.house.image("a")], brand="Lux")
    floor.house.put("blind", [floor.house.image("b", vector=False)], brand="Lux")
    floor.follow()
    answer = searcher.search(replace(QUERY, facets=(FacetRequest("brand"),)))
    assert [hit.product_id for hit in answer.hits] == ["seen"]
    assert [count.count for count in answer.facets["brand"]] == [1]


@pytest.fixture(params=get_args(Graph))
def laid_out(request: pytest.FixtureRequest, elasticsearch_url: str) -> Iterator[Cluster]:
    layout, prefix = Layout(graph=request.param), new_id("layout")
    with closing(Cluster(elasticsearch_url, prefix=prefix, layout=layout)) as opened:
        yield opened


def test_every_layout_finds_what_is_nearest(laid_out: Cluster) -> None:
    seed = np.random.default_rng(3)
    vectors = seed.normal(size=(400, 64)).astype("f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = ("elasticsearch",)
    index = an_index("wide", targets=kept, spaces=Spaces("f1", (Space("content", 64, "c"),)))
    laid_out.ensure(index)
    for part in slices(_written(index, n, vector) for n, vector in enumerate(vectors)):
        assert not laid_out.write(index, part).broken
    laid_out.refresh(index)
    catalogue: Any = type("Shelf", (), {"indexes": {"wide": index}})
    searcher = ElasticSearcher(laid_out, catalogue)
    query = replace(QUERY, index="wide", vector=vectors[7].tobytes(), limit=5)
    truth = [f"p{n}" for n in np.argsort(vectors @ -vectors[7])[:5]]
    found = [hit.product_id for hit in searcher.search(query).hits]
    laid_out.drop(laid_out.name(index))
    assert found[0] == "p7"
    assert len(set(truth) & set(found)) >= 4


def _written(index: Index, number: int, vector: Any) -> Write:
    rows = (Row(f"sha-{number}", to_bytes(vector)),)
    return write_of(Entry(f"p{number}", 1, 1, False, Attributes(), rows, 1, 0), index, 0)


class Insecure(BaseHTTPRequestHandler):
    """Answers as an Elasticsearch does whose security is off."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Warning", '299 Elasticsearch-8.19.0 "security features are not enabled"')
        self.end_headers()


def test_what_elasticsearch_warns_of_is_logged_and_raises_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "shared.index.elasticsearch.client")
    with ThreadingHTTPServer(("127.0.0.1", 0), Insecure) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with closing(Cluster(f"http://127.0.0.1:{server.server_port}")) as warning:
            assert warning.has(an_index("one"))
        server.shutdown()
    assert "security features are not enabled" in caplog.text


def test_a_password_is_never_told() -> None:
    with closing(Cluster("http://elastic:secret@127.0.0.1:1")) as nowhere:
        with pytest.raises(Unavailable) as caught:
            nowhere.has(an_index("one"))
        assert "secret" not in str(caught.value)
        assert "127.0.0.1:1" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, "es_rejected_execution_exception"),
        (429, "cluster_block_exception"),
        (403, "cluster_block_exception"),
        (503, "unavailable_shards_exception"),
        (404, "index_not_found_exception"),
    ],
)
def test_what_may_be_taken_later_is_not_broken(status: int, error: str) -> None:
    writes = [Write("a", 1, b"{}"), Write("b", 1, b"{}"), Write("c", 1)]
    refused = {"index": {"status": status, "error": {"type": error, "reason": "not now"}}}
    gone = {"delete": {"status": 404, "result": "not_found"}}
    outcome = judged(writes, [{"index": {"status": 201}}, refused, gone])
    assert [write.product_id for write in outcome.done] == ["a", "c"]
    assert not outcome.broken
    assert outcome.away == "not now"


def test_what_fails_for_what_it_is_is_broken_and_says_the_cause() -> None:
    error = {
        "type": "document_parsing_exception",
        "reason": "failed to parse",
        "caused_by": {"reason": "no NaN"},
    }
    items = [{"index": {"status": 400, "error": error}}, {"index": {"status": 409, "error": {}}}]
    outcome = judged([Write("a", 1, b"{}"), Write("b", 1, b"{}")], items)
    assert outcome.broken == {"a": "failed to parse (no NaN)"}
    assert [write.product_id for write in outcome.done] == ["b"]
