"""The loop that alone makes the system converge."""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from services.indexer.reconciler import CHORES, Reconciler, chores, one_round
from shared.errors import Unavailable
from shared.jobs import Chunk, Counters, Import
from shared.tasks import (
    BuildIndex,
    CompactShard,
    EmbedImages,
    FinishImport,
    ImportChunk,
    PlanImport,
    SyncShard,
)

if TYPE_CHECKING:
    from tests.indexer.conftest import House


TENANT = "shop"


def test_nothing_to_do_rings_nothing(house: "House") -> None:
    assert one_round(house.ports) == []


def test_pending_products_and_images_are_rung_for(house: "House") -> None:
    house.put("p", [house.image("p", vector=False)])
    assert one_round(house.ports) == [SyncShard("one", 0), EmbedImages("f1")]
    house.image("p")
    house.sync()
    assert one_round(house.ports) == []


def test_the_vectors_of_every_model_that_an_index_has_are_rung_for(house: "House") -> None:
    other = house.index_like("two")
    spaces = replace(other.spaces, fingerprint="f2")
    house.ports.catalogue.indexes.create(replace(other, spaces=spaces))
    house.image("p")
    assert EmbedImages("f2") in one_round(house.ports)
    assert EmbedImages("f1") not in one_round(house.ports)


def test_only_shards_with_something_pending_are_rung_for(house: "House") -> None:
    indexes = house.ports.catalogue.indexes
    indexes.drop("one")
    indexes.create(house.index_like("many", shards=4))
    product = house.put("p", [])
    (task,) = one_round(house.ports)
    assert task == SyncShard("many", product.bucket * 4 // 4096)


def test_an_index_being_built_and_a_shard_being_rebuilt_are_rung_for(house: "House") -> None:
    house.ports.catalogue.indexes.create(house.index_like("two", state="building"))
    house.ports.catalogue.indexes.swap("one", 0, expected=0, manifest=None, as_of=0, emptied=True)
    assert one_round(house.ports) == [BuildIndex("one"), BuildIndex("two")]


def test_imports_are_planned_and_their_chunks_rung_for(house: "House") -> None:
    imports = house.ports.catalogue.imports
    imports.create(Import("imp", TENANT, "bson", "x", 9, 0, "running"))
    assert one_round(house.ports) == [PlanImport("imp")]
    imports.planned("imp", [Chunk("imp", n, n, 1, 1) for n in range(9)], scanned=9)
    imports.planned_wholly("imp")
    assert one_round(house.ports) == [ImportChunk("imp", n) for n in range(4)]
    for number in range(9):
        imports.finish("imp", number, Counters(imported=1))
    assert one_round(house.ports) == [FinishImport("imp")]
    imports.set_state("imp", "paused")
    assert one_round(house.ports) == []


def test_queues_are_topped_up_and_no_more(house: "House") -> None:
    imports = house.ports.catalogue.imports
    imports.create(Import("imp", TENANT, "bson", "x", 9, 0, "running"))
    imports.planned("imp", [Chunk("imp", n, n, 1, 1) for n in range(9)], scanned=9)
    imports.planned_wholly("imp")
    house.queue.full["embed_bulk"] = 3
    assert len(one_round(house.ports)) == 1
    house.queue.full["embed_bulk"] = 4
    assert one_round(house.ports) == []


def test_a_queue_that_is_down_is_asked_once_a_round(house: "House") -> None:
    for n in range(3):
        house.ports.catalogue.indexes.create(house.index_like(f"i{n}", state="building"))
    house.queue.hears = False
    assert one_round(house.ports) == []
    assert len(house.queue.rung) == 1


def test_a_step_that_fails_stops_no_other(house: "House", caplog: pytest.LogCaptureFixture) -> None:
    house.put("p", [])

    def down() -> Any:
        raise Unavailable("away")

    house.image("x", vector=False)
    broken = house.interrupted("products.count_pending", down)
    assert one_round(broken.ports) == [EmbedImages("f1")]
    assert "could not look at syncing" in caplog.text


def test_only_one_reconciler_rings(house: "House") -> None:
    house.put("p", [])
    first, second = Reconciler(house.ports), Reconciler(house.ports)
    assert first.round() == [SyncShard("one", 0)]
    assert second.round() == []
    house.clock.forward(minutes=1)
    assert second.round() == [SyncShard("one", 0)]
    assert first.round() == []


def test_a_lost_ring_of_a_full_tier_is_found(house: "House") -> None:
    for n in range(8):
        house.put(f"p{n}", [])
        house.sync()
    assert one_round(house.ports) == [CompactShard("one", 0)]
    assert one_round(house.ports) == []
    house.clock.forward(minutes=2)
    assert one_round(house.ports) == [CompactShard("one", 0)]


def test_chores_are_done_at_their_intervals_by_one_process(house: "House") -> None:
    assert set(chores(house.ports)) == {chore.__name__ for chore, _ in CHORES}
    assert chores(house.ports) == {}
    house.clock.forward(minutes=11)
    assert set(chores(house.ports)) == {"audits", "audits_of_elasticsearch", "forget_targets"}


def test_a_chore_that_fails_stops_no_other(
    house: "House", caplog: pytest.LogCaptureFixture
) -> None:
    def down() -> Any:
        raise Unavailable("away")

    done = chores(house.interrupted("images.page", down).ports)
    assert "sweep_images" not in done
    assert "sweep_uploads" in done
    assert "sweep_images was not done" in caplog.text


def test_an_audit_tells_compaction_of_dead_rows(house: "House") -> None:
    ids = house.stock(4)
    house.sync()
    for product_id in ids[:2]:
        house.put(product_id, [house.image(f"new {product_id}")])
    house.sync()
    chores(house.ports)
    assert CompactShard("one", 0) in house.queue.rung


def test_a_shard_that_is_built_is_not_audited(house: "House") -> None:
    """Everything is missing there, and its build knows."""
    house.put("p", [])
    house.ports.catalogue.indexes.create(house.index_like("two", state="building"))
    chores(house.ports)
    assert house.product("p").pending == {"one/segments"}


def test_the_loop_rings_until_it_is_stopped(house: "House") -> None:
    house.put("p", [])
    stop, rang = threading.Event(), threading.Event()
    house.queue.on_ring = rang.set
    loop = threading.Thread(target=Reconciler(house.ports, 0.01).run, args=(stop,))
    loop.start()
    assert rang.wait(10)
    stop.set()
    loop.join(10)
    assert not loop.is_alive()
