"""Pending products reach Elasticsearch whole, whatever happens between."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.indexer.elastic import resting
from services.indexer.reconciler import one_round
from services.indexer.sync import read_batch, whole_entry_of
from services.indexer.tasks import handle
from shared.catalogue.images import VectorWrite
from shared.index.elasticsearch import documents
from shared.index.elasticsearch.bulk import Outcome
from shared.index.elasticsearch.documents import Write, id_of, write_of
from shared.indexes import Index
from shared.tasks import SyncElasticsearch, SyncShard

if TYPE_CHECKING:
    from tests.elasticsearch.conftest import Floor

TENANT, TARGET = "shop", "one/elasticsearch"


def read(floor: "Floor", product_id: str) -> Write:
    """A product as a sync has it in hand between reading and writing."""
    index = floor.house.index
    batch = read_batch(floor.house.ports, index, [product_id], whole_entry_of)
    return write_of(batch.entries[0], index, batch.read_at)


def test_a_product_is_found_with_its_images_as_soon_as_it_is_marked(floor: "Floor") -> None:
    sha = floor.house.image("a red shoe")
    floor.house.put("p", [sha], title="shoe")
    assert floor.follow() == 1
    assert floor.shown() == {"p": ("shoe", {sha})}
    assert TARGET not in floor.house.product("p").pending
    assert floor.house.product("p").indexed[TARGET] == floor.house.product("p").revision


def test_a_ring_is_answered_and_the_segments_are_none_of_its_business(floor: "Floor") -> None:
    floor.house.put("p", [])
    handle(floor.house.ports, SyncElasticsearch("one", 0))
    assert floor.house.product("p").pending == {"one/segments"}


def test_a_new_title_comes_with_all_images(floor: "Floor") -> None:
    sha = floor.house.image("a red shoe")
    floor.house.put("p", [sha], title="shoe")
    floor.follow()
    floor.house.sync()  # for the segments, the title alone is enough from here on
    floor.house.put("p", [sha], title="boot")
    floor.follow()
    assert floor.shown() == {"p": ("boot", {sha})}


def test_a_vector_that_comes_later_is_found(floor: "Floor") -> None:
    sha = floor.house.image("slow", vector=False)
    floor.house.put("p", [sha])
    floor.follow()
    assert floor.shown() == {"p": ("", set())}
    floor.house.embed(sha)
    floor.follow()
    assert floor.shown() == {"p": ("", {sha})}


def test_a_vector_that_arrives_between_the_reads_is_not_lost(floor: "Floor") -> None:
    sha = floor.house.image("a", vector=False)
    floor.house.put("p", [sha])
    floor.follow(floor.house.interrupted("images.get", lambda: floor.house.embed(sha)))
    floor.follow()
    assert floor.shown() == {"p": ("", {sha})}


def test_deleted_and_put_again_is_found(floor: "Floor") -> None:
    sha = floor.house.image("a")
    floor.house.put("p", [sha], title="same")
    floor.follow()
    floor.house.delete("p")
    floor.follow()
    assert floor.shown() == {}
    assert not floor.house.product("p").pending & {TARGET}
    floor.house.put("p", [sha], title="same")
    floor.follow()
    assert floor.shown() == {"p": ("same", {sha})}


def test_a_zombie_changes_nothing_newer(floor: "Floor") -> None:
    """external_version: it was frozen between reading and writing."""
    floor.house.put("p", [], title="old")
    zombie = read(floor, "p")
    floor.house.put("p", [], title="new")
    floor.follow()
    assert floor.cluster.write(floor.house.index, [zombie]).done == (zombie,)
    floor.cluster.refresh(floor.house.index)
    assert floor.shown() == {"p": ("new", set())}


def test_a_zombie_brings_nothing_back(floor: "Floor") -> None:
    """external_version: deletions have one too."""
    floor.house.put("p", [], title="old")
    zombie = read(floor, "p")
    floor.house.delete("p")
    floor.follow()
    floor.cluster.write(floor.house.index, [zombie])
    floor.cluster.refresh(floor.house.index)
    assert floor.shown() == {}


def test_a_late_deletion_takes_nothing_newer_away(floor: "Floor") -> None:
    floor.house.put("p", [])
    floor.house.delete("p")
    zombie = read(floor, "p")
    floor.house.put("p", [], title="back")
    floor.follow()
    assert floor.cluster.write(floor.house.index, [zombie]).done == (zombie,)
    floor.cluster.refresh(floor.house.index)
    assert floor.shown() == {"p": ("back", set())}


def test_what_changed_during_a_sync_stays_pending(floor: "Floor") -> None:
    floor.house.put("p", [], title="old")

    def change() -> None:
        floor.house.put("p", [], title="new")

    floor.follow(floor.house.interrupted("products.mark", change))
    assert floor.shown() == {"p": ("new", set())}  # its sync looks once more


def test_a_mark_that_comes_late_and_finds_another_revision_puts_it_back(floor: "Floor") -> None:
    """mark_puts_back: the other writer may have been marked before this one wrote."""
    floor.house.put("p", [], title="old")
    before = floor.house.product("p").revision

    def freeze() -> None:
        floor.house.clock.forward(minutes=70)
        floor.house.put("p", [], title="new")
        floor.house.ports.catalogue.products.mark(TENANT, TARGET, [("p", before + 1)])

    sleeper = floor.house.limited(sync_ms=0).interrupted("products.mark", freeze)
    floor.follow(sleeper)
    assert TARGET in floor.house.product("p").pending
    assert floor.house.product("p").revision == before + 2
    floor.follow()
    assert floor.shown() == {"p": ("new", set())}


def test_a_mark_that_comes_late_deletes_what_has_no_document_any_more(floor: "Floor") -> None:
    """mark_puts_back: Elasticsearch forgot the deletion, the catalogue forgot the product."""
    floor.house.put("p", [], title="old")

    def freeze() -> None:
        floor.house.delete("p")
        products = floor.house.ports.catalogue.products
        products.mark(TENANT, TARGET, [("p", floor.house.product("p").revision)])
        products.mark(TENANT, "one/segments", [("p", floor.house.product("p").revision)])
        floor.house.clock.forward(days=2)
        gone = floor.house.product("p")
        assert products.remove(TENANT, "p", revision=gone.revision, written=gone.written)

    floor.follow(floor.house.interrupted("products.mark", freeze))
    floor.cluster.refresh(floor.house.index)
    assert floor.shown() == {}


def test_a_sync_that_froze_for_longer_than_ten_minutes_writes_nothing(floor: "Floor") -> None:
    floor.house.put("p", [], title="old")
    calls: list[str] = []

    def step(name: str) -> None:
        calls.append(name)
        if name == "now" and calls[-2] == "images.get":
            floor.house.clock.forward(minutes=11)

    floor.house.put("p", [floor.house.image("a")], title="old")
    floor.follow(floor.house.limited(sync_ms=0).stepping(step))
    assert calls.count("products.mark") == 0
    assert floor.shown() == {}
    floor.follow()
    assert set(floor.shown()) == {"p"}


def test_what_elasticsearch_cannot_take_blocks_no_neighbour_and_says_why(floor: "Floor") -> None:
    good, bad, short = (floor.house.image(name, vector=False) for name in "gbs")
    images = floor.house.ports.catalogue.images
    images.store_vector(VectorWrite(TENANT, bad, "f1", b"\x00\x7e" * 8))  # not a number
    images.store_vector(VectorWrite(TENANT, short, "f1", b"12"))
    floor.house.embed(good)
    for product_id, sha in (("a", bad), ("b", good), ("c", short), ("d", good)):
        floor.house.put(product_id, [sha])
    assert floor.follow() == 2
    assert set(floor.shown()) == {"b", "d"}
    assert TARGET in floor.house.product("a").pending & floor.house.product("c").pending
    letters = {letter.detail for letter in floor.house.ports.catalogue.dead.page(TENANT)}
    assert len(letters) == 2
    assert any("NaN" in detail for detail in letters)


def test_many_products_go_in_several_requests(
    floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "SLICE_BYTES", 2_000)
    ids = floor.house.stock(30)
    assert floor.follow() == 30
    assert set(floor.shown()) == set(ids)


@pytest.mark.parametrize(
    "product_id", ["a b", "50%", '"', "ä" * 200, "a?b#c", "\U0001f45f" * 200, ".", "_id"]
)
def test_every_product_id_is_good(floor: "Floor", product_id: str) -> None:
    floor.house.put(product_id, [], title="odd")
    floor.follow()
    assert floor.shown() == {product_id: ("odd", set())}
    floor.house.delete(product_id)
    floor.follow()
    assert floor.shown() == {}


def test_long_ids_that_begin_alike_are_told_apart() -> None:
    one, other = (id_of("\U0001f45f" * 199 + last) for last in "ab")
    assert one != other
    assert max(len(one), len(other)) <= 512


def test_a_block_pauses_the_target_and_it_goes_on_by_itself(
    floor: "Floor", caplog: pytest.LogCaptureFixture
) -> None:
    floor.house.put("p", [])
    floor.follow()
    floor.settings(**{"index.blocks.read_only_allow_delete": True})
    floor.house.put("q", [floor.house.image("q")])
    for _ in range(3):
        assert floor.follow() == 0
        floor.after_the_pause()
    assert TARGET in floor.house.product("q").pending
    assert caplog.text.count("pauses, and goes on by itself") == 1
    floor.settings(**{"index.blocks.read_only_allow_delete": None})
    assert floor.follow() == 1
    assert set(floor.shown()) == {"p", "q"}


def test_what_was_taken_before_a_refusal_is_marked(
    floor: "Floor", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request of three passes, then the disk is full."""
    monkeypatch.setattr(documents, "SLICE_BYTES", 1)
    write = floor.cluster.write

    def and_then_full(index: Index, writes: Sequence[Write]) -> Outcome:
        outcome = write(index, writes)
        floor.settings(**{"index.blocks.write": True})
        return outcome

    monkeypatch.setattr(floor.cluster, "write", and_then_full)
    for product_id in "abc":
        floor.house.put(product_id, [])
    floor.follow()
    assert set(floor.shown()) == {"a"}
    assert [p for p in "abc" if TARGET not in floor.house.product(p).pending] == ["a"]
    floor.settings(**{"index.blocks.write": None})
    monkeypatch.setattr(floor.cluster, "write", write)
    floor.after_the_pause()
    floor.follow()
    assert set(floor.shown()) == {"a", "b", "c"}


def test_a_pause_keeps_the_reconciler_from_ringing_and_the_segments_go_on(floor: "Floor") -> None:
    floor.house.put("p", [])
    both = [SyncShard("one", 0), SyncElasticsearch("one", 0)]
    assert one_round(floor.house.ports) == both
    floor.cluster.ensure(floor.house.index)
    floor.settings(**{"index.blocks.write": True})
    floor.follow()
    assert resting(floor.house.ports, floor.house.index)
    assert one_round(floor.house.ports) == [SyncShard("one", 0)]
    floor.after_the_pause()
    assert one_round(floor.house.ports) == both


def test_without_elasticsearch_its_target_waits_and_nobody_rings(
    floor: "Floor", caplog: pytest.LogCaptureFixture
) -> None:
    floor.house.put("p", [])
    plain = replace(floor.house, ports=replace(floor.house.ports, elastic=None))
    assert floor.follow(plain) == 0
    assert "no Elasticsearch is configured" in caplog.text
    assert one_round(plain.ports) == [SyncShard("one", 0)]


def test_a_late_write_does_not_make_a_dropped_index_again(floor: "Floor") -> None:
    floor.house.put("p", [])
    zombie = read(floor, "p")
    floor.follow()
    floor.cluster.drop(floor.cluster.name(floor.house.index))
    outcome = floor.cluster.write(floor.house.index, [zombie])
    assert outcome.done == ()
    assert outcome.away is not None
    assert not floor.cluster.has(floor.house.index)


def test_two_workers_may_make_the_index_at_once(floor: "Floor") -> None:
    """Both looked before either made it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(floor.cluster, "has", lambda _index: False)
    floor.cluster.ensure(floor.house.index)
    floor.cluster.ensure(floor.house.index)
    patch.undo()
    assert floor.cluster.has(floor.house.index)
