"""Pending products become findable, whatever happens between."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.indexer.commit import commit
from services.indexer.segments import stored
from services.indexer.sync import read_batch
from shared.catalogue.images import VectorWrite
from shared.tasks import CompactShard, SyncShard

if TYPE_CHECKING:
    from tests.indexer.conftest import House


TENANT, TARGET = "shop", "one/segments"


def test_a_product_is_found_with_its_images_after_a_sync(house: "House") -> None:
    sha = house.image("a red shoe")
    house.put("p", [sha], title="shoe")
    assert house.sync() == 1
    assert house.shown() == {"p": ("shoe", {sha})}
    assert not house.product("p").pending
    assert house.product("p").indexed[TARGET] == house.product("p").revision


def test_nothing_pending_writes_nothing(house: "House") -> None:
    assert house.sync() == 0
    assert house.pointer().generation == 0


def test_a_new_title_keeps_the_rows_without_writing_them_again(house: "House") -> None:
    sha = house.image("a red shoe")
    house.put("p", [sha], title="shoe")
    house.sync()
    house.put("p", [sha], title="boot")
    house.sync()
    assert house.shown() == {"p": ("boot", {sha})}
    assert [segment.rows for segment in house.manifest().segments] == [1, 0]


def test_a_title_changed_before_the_vector_was_indexed_brings_the_rows_along(
    house: "House",
) -> None:
    """rows_unless_indexed: an older revision was indexed, but not with these images."""
    first, second = house.image("one"), house.image("two")
    house.put("p", [first])
    house.sync()
    house.put("p", [first, second])
    house.put("p", [first, second], title="both")
    house.sync()
    assert house.shown() == {"p": ("both", {first, second})}


def test_a_vector_that_comes_later_is_found(house: "House") -> None:
    sha = house.image("slow", vector=False)
    house.put("p", [sha])
    house.sync()
    assert house.shown() == {"p": ("", set())}
    house.embed(sha)
    house.sync()
    assert house.shown() == {"p": ("", {sha})}


def test_a_deleted_product_is_not_shown(house: "House") -> None:
    house.put("p", [house.image("a")])
    house.sync()
    house.delete("p")
    house.sync()
    assert house.shown() == {}


def test_deleted_purged_and_put_again_is_found(house: "House") -> None:
    sha = house.image("a")
    house.put("p", [sha], title="same")
    house.sync()
    house.delete("p")
    house.sync()
    house.put("p", [sha], title="same")
    house.sync()
    assert house.shown() == {"p": ("same", {sha})}


def test_a_vector_that_arrives_between_the_reads_is_not_lost(house: "House") -> None:
    """product_before_images: whichever is read second, the vector comes just before it."""
    sha = house.image("a", vector=False)
    house.put("p", [sha])
    reads: list[str] = []

    def step(name: str) -> None:
        if name in ("products.get", "images.get"):
            reads.append(name)
            if len(reads) == 2:
                house.embed(sha)

    house.stepping(step).sync()
    house.sync()
    assert house.shown() == {"p": ("", {sha})}


def test_what_changed_during_a_sync_stays_pending(house: "House") -> None:
    """guarded_mark: the mark is for the revision that was read."""
    house.put("p", [], title="old")
    house.interrupted("indexes.swap", lambda: house.put("p", [], title="new")).sync()
    assert house.shown() == {"p": ("new", set())}


def test_a_broken_product_blocks_no_other_and_says_why(house: "House") -> None:
    good, bad = house.image("good"), house.image("bad", vector=False)
    house.ports.catalogue.images.store_vector(VectorWrite(TENANT, bad, "f1", b"12"))
    house.put("a", [bad])
    house.put("b", [good])
    house.limited(batch=1).sync()
    assert set(house.shown()) == {"b"}
    assert house.product("a").pending == {TARGET}
    (letter,) = house.ports.catalogue.dead.page(TENANT)
    assert letter.kind == "product"
    assert "embed the image again" in letter.detail


def test_a_product_that_no_column_takes_blocks_no_other(house: "House") -> None:
    for product_id in "abcde":
        house.put(product_id, [], title="\ud800" if product_id == "c" else "fine")
    house.sync()
    assert set(house.shown()) == set("abde")


def test_a_sync_goes_on_until_nothing_is_pending(house: "House") -> None:
    house.stock(7)
    assert house.limited(batch=3).sync() == 7
    assert house.pointer().generation == 3


def test_a_sync_whose_time_is_over_rings_itself(house: "House") -> None:
    house.stock(4)
    slow = house.limited(batch=2).interrupted("images.get", lambda: house.clock.forward(minutes=1))
    assert slow.sync() == 2
    assert house.queue.rung == [SyncShard("one", 0)]


def test_whoever_finds_the_lease_taken_leaves_the_work_to_its_holder(house: "House") -> None:
    house.stock(1)
    house.ports.catalogue.office.lease("sync/one/0", "another", 60_000)
    assert house.sync() == 0
    house.clock.forward(minutes=2)
    assert house.sync() == 1


def test_a_full_tier_is_told_to_compaction(house: "House") -> None:
    for n in range(8):
        house.put(f"p{n}", [])
        house.sync()
    assert house.queue.rung == [CompactShard("one", 0)]


def test_a_tombstone_ages_from_after_its_product_was_read(house: "House") -> None:
    """A reader that saw the product undeleted began before that moment, and has ten minutes."""
    house.put("p", [])
    house.delete("p")
    slow = house.interrupted("products.get", lambda: house.clock.forward(minutes=5))
    batch = read_batch(slow.ports, house.index, ["p"])
    assert batch.entries[0].committed > batch.read_at + 5 * 60_000


@pytest.mark.parametrize("minutes", [0, 9])
def test_a_sync_that_froze_for_less_than_ten_minutes_commits(house: "House", minutes: int) -> None:
    assert frozen_sync(house, minutes) == 1


def test_a_sync_that_froze_for_longer_than_ten_minutes_changes_nothing(house: "House") -> None:
    """ten_minutes, age_after_pointer: it freezes between building and reading the pointer."""
    assert frozen_sync(house, 11) == 0
    assert house.pointer().generation == 0
    assert house.product("p").pending == {TARGET}


def frozen_sync(house: "House", minutes: int) -> int:
    house.put("p", [])
    return house.interrupted("indexes.pointer", lambda: house.clock.forward(minutes=minutes)).sync()


def test_age_is_looked_at_after_the_pointer_was_read(house: "House") -> None:
    """age_after_pointer: else what changed while it froze before the pointer would be named."""
    house.put("p", [])
    assert house.stepping(_freeze_after("indexes.pointer", house)).sync() == 0


def _freeze_after(call: str, house: "House") -> Callable[[str], None]:
    """Freezes for eleven minutes before whatever is called next after `call`."""
    state = ["before"]

    def step(name: str) -> None:
        if state == ["after"]:
            house.clock.forward(minutes=11)
            state[:] = ["done"]
        elif name == call and state == ["before"]:
            state[:] = ["after"]

    return step


def test_an_older_revision_committed_last_changes_nothing(house: "House") -> None:
    """highest_revision: a zombie commits what it read before the newer write was indexed."""
    house.put("p", [], title="old")
    batch = read_batch(house.ports, house.index, ["p"])
    house.put("p", [], title="new")
    house.sync()
    ref = stored(house.ports, house.index, 0, batch.entries)
    commit(
        house.ports,
        house.index,
        0,
        lambda manifest: replace(manifest, segments=(*manifest.segments, ref)),
        read_at=batch.read_at,
    )
    assert house.shown() == {"p": ("new", set())}
