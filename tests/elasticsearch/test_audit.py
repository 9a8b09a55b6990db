"""Drift between Elasticsearch and the catalogue is found and repaired in both directions."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from services.indexer.elastic_audit import audit_elasticsearch, compare_elasticsearch
from services.indexer.reconciler import audits_of_elasticsearch
from shared.index.elasticsearch.documents import Write

if TYPE_CHECKING:
    from tests.elasticsearch.conftest import Floor

TENANT, TARGET = "shop", "one/elasticsearch"


def stocked(floor: "Floor") -> None:
    for name in "ab":
        floor.house.put(name, [floor.house.image(name)], title=name)
    floor.house.sync()
    floor.follow()


def audit(floor: "Floor") -> bool:
    return audit_elasticsearch(floor.house.ports, floor.cluster, floor.house.index, 0)


def mark(floor: "Floor", product_id: str) -> None:
    """As if Elasticsearch had taken what it has lost since."""
    revision = floor.house.product(product_id).revision
    floor.house.ports.catalogue.products.mark(TENANT, TARGET, [(product_id, revision)])


def test_what_is_right_is_left_alone(floor: "Floor") -> None:
    stocked(floor)
    floor.house.put("c", [])
    floor.house.delete("b")
    floor.follow()
    assert not audit(floor)
    assert TARGET not in floor.house.product("a").pending


def test_a_missing_product_comes_back_and_costs_the_segments_nothing(floor: "Floor") -> None:
    stocked(floor)
    before, revision = floor.shown(), floor.house.product("a").revision
    floor.cluster.drop(floor.cluster.name(floor.house.index))
    assert audit(floor)
    assert floor.house.product("a").pending == {TARGET}
    assert floor.house.product("a").revision == revision
    floor.follow()
    assert floor.shown() == before
    assert not audit(floor)


def test_a_single_lost_product_comes_back(floor: "Floor") -> None:
    stocked(floor)
    sha = floor.house.image("c")
    floor.house.put("c", [sha], title="c")
    mark(floor, "c")
    ports, index = floor.house.ports, floor.house.index
    assert compare_elasticsearch(ports, floor.cluster, index, 0).lost == ("c",)
    assert audit(floor)
    floor.follow()
    assert floor.shown()["c"] == ("c", {sha})


def test_a_stale_product_is_brought_up_to_date(floor: "Floor") -> None:
    stocked(floor)
    floor.house.put("a", [floor.house.image("a")], title="newer")
    mark(floor, "a")
    assert audit(floor)
    floor.follow()
    assert floor.shown()["a"][0] == "newer"


def test_a_ghost_is_deleted_and_a_zombie_does_not_bring_it_back(floor: "Floor") -> None:
    stocked(floor)
    body = b'{"product_id":"ghost","bucket":7,"revision":5,"shas":[],"codes":""}'
    ghost = Write("ghost", 5, body)
    floor.cluster.write(floor.house.index, [ghost])
    assert audit(floor)
    assert set(floor.shown()) == {"a", "b"}
    floor.cluster.write(floor.house.index, [ghost])
    floor.cluster.refresh(floor.house.index)
    assert set(floor.shown()) == {"a", "b"}


def test_a_deleted_product_that_is_still_there_is_deleted(floor: "Floor") -> None:
    stocked(floor)
    floor.house.delete("a")
    mark(floor, "a")
    assert audit(floor)
    floor.follow()
    assert set(floor.shown()) == {"b"}


def test_an_index_that_is_ahead_of_a_restored_catalogue_begins_anew(floor: "Floor") -> None:
    stocked(floor)
    before, revision = floor.shown(), floor.house.product("a").revision
    body = b'{"product_id":"a","bucket":%d,"revision":%d,"shas":[],"codes":""}'
    ahead = body % (floor.house.product("a").bucket, revision + 9)
    floor.cluster.write(floor.house.index, [Write("a", revision + 9, ahead)])
    assert audit(floor)
    floor.follow()
    assert floor.shown() == before
    assert not audit(floor)


def put_and_follow(floor: "Floor") -> None:
    floor.house.put("a", [floor.house.image("a")], title="newer")
    floor.house.put("c", [floor.house.image("c")], title="c")
    floor.follow()


def delete_and_follow(floor: "Floor") -> None:
    floor.house.delete("a")
    floor.follow()


@pytest.mark.parametrize("change", [put_and_follow, delete_and_follow])
def test_what_is_written_between_an_audits_looks_is_no_drift(
    floor: "Floor", change: Callable[["Floor"], None]
) -> None:
    stocked(floor)
    busy = floor.house.interrupted("products.digests", lambda: change(floor))
    assert not compare_elasticsearch(busy.ports, floor.cluster, floor.house.index, 0)


def test_a_loss_is_found_among_what_is_written_meanwhile(floor: "Floor") -> None:
    stocked(floor)
    floor.house.put("lost", [floor.house.image("lost")])
    mark(floor, "lost")
    busy = floor.house.interrupted("products.digests", lambda: put_and_follow(floor))
    drift = compare_elasticsearch(busy.ports, floor.cluster, floor.house.index, 0)
    assert drift.lost == ("lost",)


def test_the_reconciler_audits_it(floor: "Floor") -> None:
    stocked(floor)
    floor.cluster.drop(floor.cluster.name(floor.house.index))
    assert audits_of_elasticsearch(floor.house.ports) == 1
    floor.follow()
    assert audits_of_elasticsearch(floor.house.ports) == 0
