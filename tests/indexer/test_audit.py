"""Drift between a shard and the catalogue is found and repaired in both directions."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.indexer.audit import audit_shard, compare
from services.indexer.commit import commit
from services.indexer.segments import stored
from services.indexer.sync import read_batch
from shared.errors import NotFound
from shared.index.damage import DamagedSegment

if TYPE_CHECKING:
    from tests.indexer.conftest import House


TENANT, TARGET = "shop", "one/segments"


def stocked(house: "House") -> None:
    house.put("a", [house.image("a")], title="a")
    house.put("b", [house.image("b")], title="b")
    house.sync()


def lose_segments(house: "House", count: int) -> None:
    """As if commits had never been, although documents were marked."""
    commit(
        house.ports,
        house.index,
        0,
        lambda manifest: replace(manifest, segments=manifest.segments[:-count]),
        read_at=None,
    )


def manifest_key(house: "House") -> str:
    key = house.pointer().manifest
    assert key is not None
    return key


def test_a_shard_that_is_right_is_left_alone(house: "House") -> None:
    stocked(house)
    house.put("c", [])
    assert not audit_shard(house.ports, house.index, 0)
    assert house.product("a").pending == frozenset()
    assert house.queue.rung == []


def test_a_missing_product_comes_back_with_its_rows(house: "House") -> None:
    stocked(house)
    before = house.shown()
    lose_segments(house, 1)
    assert audit_shard(house.ports, house.index, 0)
    house.sync()
    assert house.shown() == before
    assert not audit_shard(house.ports, house.index, 0)


def test_a_stale_product_is_brought_up_to_date(house: "House") -> None:
    stocked(house)
    house.put("a", [house.image("other")], title="newer")
    house.sync()
    before = house.shown()
    lose_segments(house, 1)
    assert audit_shard(house.ports, house.index, 0)
    house.sync()
    assert house.shown() == before


def test_a_product_that_the_index_was_never_told_of_is_pending(house: "House") -> None:
    stocked(house)
    (image,) = house.product("a").images
    house.ports.catalogue.products.bump_showing(
        TENANT, [image], targets=frozenset({"other/segments"}), not_after=house.clock() + 1
    )
    assert compare(house.ports, house.index, 0).untold == ("a",)
    audit_shard(house.ports, house.index, 0)
    house.sync()
    assert not compare(house.ports, house.index, 0)
    assert house.shown()["a"] == ("a", set(house.product("a").images))


def test_a_deleted_product_that_is_still_shown_disappears(house: "House") -> None:
    stocked(house)
    house.delete("a")
    house.sync()
    lose_segments(house, 1)
    assert "a" in house.shown()
    audit_shard(house.ports, house.index, 0)
    house.sync()
    assert set(house.shown()) == {"b"}


def test_a_product_that_the_catalogue_has_no_more_disappears(house: "House") -> None:
    stocked(house)
    house.delete("a")
    house.sync()
    tombstone = house.product("a")
    removed = house.ports.catalogue.products.remove(
        TENANT, "a", revision=tombstone.revision, written=tombstone.written
    )
    assert removed
    lose_segments(house, 1)
    assert compare(house.ports, house.index, 0).ghosts == (("a", tombstone.revision - 1),)
    audit_shard(house.ports, house.index, 0)
    assert set(house.shown()) == {"b"}
    assert not audit_shard(house.ports, house.index, 0)


def test_a_product_put_again_is_found_above_its_ghost(house: "House") -> None:
    test_a_product_that_the_catalogue_has_no_more_disappears(house)
    house.clock.forward(minutes=1)
    house.put("a", [house.image("a")], title="again")
    house.sync()
    assert house.shown()["a"][0] == "again"


def test_a_shard_ahead_of_the_catalogue_is_built_anew(house: "House") -> None:
    """The catalogue was restored from a copy."""
    stocked(house)
    (entry,) = read_batch(house.ports, house.index, ["a"]).entries
    ref = stored(house.ports, house.index, 0, [replace(entry, revision=entry.revision + 9)])
    change = lambda m: replace(m, segments=(*m.segments, ref))  # noqa: E731
    commit(house.ports, house.index, 0, change, read_at=None)
    audit_shard(house.ports, house.index, 0)
    assert house.pointer().rebuilding is not None


@pytest.mark.parametrize("what", ["segment", "manifest"])
def test_a_shard_with_a_missing_file_is_built_anew(house: "House", what: str) -> None:
    stocked(house)
    segment, manifest = house.manifest().segments[0].files[0].key, manifest_key(house)
    house.ports.blobs.delete(segment if what == "segment" else manifest)
    audit_shard(house.ports, house.index, 0)
    assert house.pointer().rebuilding is not None


def test_a_compaction_during_an_audit_is_no_damage(house: "House") -> None:
    stocked(house)
    old = manifest_key(house)

    def overtake() -> None:
        house.put("c", [])
        house.sync()
        house.ports.blobs.delete(old)

    busy = house.interrupted("blobs.read", overtake)
    with pytest.raises((NotFound, DamagedSegment)):
        audit_shard(busy.ports, house.index, 0)
    assert house.pointer().rebuilding is None


def test_what_changes_during_an_audit_is_no_drift(house: "House") -> None:
    """And costs it no second look: nothing is suspected."""
    stocked(house)
    calls: list[str] = []
    busy = house.stepping(calls.append).interrupted(
        "products.digests", lambda: (house.put("a", [], title="new"), house.put("c", []))
    )
    assert not compare(busy.ports, house.index, 0)
    assert "products.page" in calls
    assert calls.count("indexes.pointer") == 1


def test_pending_products_cost_an_audit_no_scan_and_no_second_look(house: "House") -> None:
    stocked(house)
    house.put("a", [], title="new")
    calls: list[str] = []
    assert not compare(house.stepping(calls.append).ports, house.index, 0)
    assert "products.page" not in calls
    assert calls.count("indexes.pointer") == 1


def put_and_sync(house: "House") -> None:
    house.put("a", [house.image("other")], title="newer")
    house.put("c", [house.image("c")], title="c")
    house.sync()


def delete_and_sync(house: "House") -> None:
    house.delete("a")
    house.sync()


def purge_and_sync(house: "House") -> None:
    delete_and_sync(house)
    tombstone = house.product("a")
    house.ports.catalogue.products.remove(
        TENANT, "a", revision=tombstone.revision, written=tombstone.written
    )


@pytest.mark.parametrize("change", [put_and_sync, delete_and_sync, purge_and_sync])
def test_what_is_committed_between_an_audits_looks_is_no_drift(
    house: "House", change: Callable[["House"], None]
) -> None:
    stocked(house)
    busy = house.interrupted("products.digests", lambda: change(house))
    assert not compare(busy.ports, house.index, 0)
    assert not compare(house.ports, house.index, 0)


def test_a_vector_that_is_committed_after_its_product_during_an_audit_is_no_drift(
    house: "House",
) -> None:
    """The document that the audit reads is of the first commit, the second look of the next."""
    stocked(house)
    late = house.image("late", vector=False)

    def step(call: str) -> None:
        if call == "products.digests":
            house.put("a", [late], title="newer")
            house.sync()
        elif call == "indexes.pointer" and house.product("a").images == (late,):
            house.embed(late)
            house.sync()

    assert not compare(house.stepping(step).ports, house.index, 0)
    assert house.shown()["a"] == ("newer", {late})


def test_a_loss_is_found_among_what_is_committed_meanwhile(house: "House") -> None:
    stocked(house)
    house.put("lost", [house.image("lost")])
    house.sync()
    lose_segments(house, 1)
    busy = house.interrupted("products.digests", lambda: put_and_sync(house))
    assert compare(busy.ports, house.index, 0).lost == ("lost",)


def test_a_lost_product_whose_title_changes_during_an_audit_comes_back_with_its_rows(
    house: "House",
) -> None:
    """The sync of the title trusts in rows that are not there."""
    stocked(house)
    shas = house.product("b").images
    lose_segments(house, 1)
    looks = 0

    def step(call: str) -> None:
        nonlocal looks
        looks += call == "indexes.pointer"
        if call == "indexes.pointer" and looks == 2:
            house.put("b", shas, title="newer")
            house.sync()

    assert audit_shard(house.stepping(step).ports, house.index, 0)
    house.sync()
    assert house.shown()["b"] == ("newer", set(shas))


def test_a_file_that_is_missing_at_the_second_look_is_damage(house: "House") -> None:
    stocked(house)
    lose_segments(house, 1)
    gone = manifest_key(house)
    busy = house.interrupted("products.page", lambda: house.ports.blobs.delete(gone))
    assert compare(busy.ports, house.index, 0).damaged


def test_the_log_tells_counts_and_a_few_ids(
    house: "House", caplog: pytest.LogCaptureFixture
) -> None:
    house.stock(7)
    house.sync()
    lose_segments(house, 1)
    audit_shard(house.ports, house.index, 0)
    assert "one shard 0 drifted in segments: 7 lost (p0000, p0001, p0002, p0003, p0004, …)" in (
        caplog.messages
    )
