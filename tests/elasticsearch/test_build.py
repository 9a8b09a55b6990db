"""An index that has Elasticsearch as a target is complete only when that has everything."""

from typing import TYPE_CHECKING

import pytest

from services.indexer.build import build_index, create_index, drop_index, forget_dropped
from services.indexer.elastic import sync_elasticsearch
from services.indexer.sync import sync_shard
from shared.index.elasticsearch.port import Away
from shared.tasks import BuildIndex, SyncElasticsearch, SyncShard
from tests.elasticsearch.conftest import BOTH

if TYPE_CHECKING:
    from tests.elasticsearch.conftest import Floor

TENANT = "shop"


def begun(floor: "Floor") -> None:
    """A second index beside the first, filled in the segments only."""
    for name in "ab":
        floor.house.put(name, [floor.house.image(name)], title=name)
    create_index(floor.house.ports, floor.house.index_like("two", targets=BOTH))
    floor.house.clock.forward(minutes=5)
    assert build_index(floor.house.ports, BuildIndex("two")) == "waiting"
    sync_shard(floor.house.ports, SyncShard("two", 0))


def test_the_alias_waits_for_elasticsearch(floor: "Floor") -> None:
    begun(floor)
    assert build_index(floor.house.ports, BuildIndex("two")) == "waiting"
    sync_elasticsearch(floor.house.ports, SyncElasticsearch("two", 0))
    assert build_index(floor.house.ports, BuildIndex("two")) == "ready"
    assert set(floor.shown("two")) == {"a", "b"}


def test_the_alias_does_not_move_to_what_elasticsearch_has_lost(floor: "Floor") -> None:
    """verify_first: nothing is pending any more, and yet it is not there."""
    begun(floor)
    sync_elasticsearch(floor.house.ports, SyncElasticsearch("two", 0))
    index = floor.house.ports.catalogue.indexes.get("two")
    assert index is not None
    floor.cluster.drop(floor.cluster.name(index))
    assert build_index(floor.house.ports, BuildIndex("two")) == "incomplete"
    alias = floor.house.ports.catalogue.indexes.alias(TENANT, "live")
    assert alias is not None
    assert alias.index_id == "one"
    sync_elasticsearch(floor.house.ports, SyncElasticsearch("two", 0))
    assert build_index(floor.house.ports, BuildIndex("two")) == "ready"


def test_a_dropped_index_is_gone_from_elasticsearch(floor: "Floor") -> None:
    begun(floor)
    index = floor.house.ports.catalogue.indexes.get("two")
    assert index is not None
    floor.cluster.ensure(index)
    drop_index(floor.house.ports, "two")
    assert not floor.cluster.has(index)


def test_what_could_not_be_dropped_is_dropped_later(
    floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(floor)
    index = floor.house.ports.catalogue.indexes.get("two")
    assert index is not None
    floor.cluster.ensure(index)

    def away(_name: str) -> None:
        raise Away("down")

    with monkeypatch.context() as down:
        down.setattr(floor.cluster, "drop", away)
        drop_index(floor.house.ports, "two")
        floor.house.clock.forward(minutes=5)
        forget_dropped(floor.house.ports, TENANT)
    assert floor.cluster.has(index)
    forget_dropped(floor.house.ports, TENANT)
    assert not floor.cluster.has(index)
