"""Rebuilding a shard, and a second index that takes over only when it is complete."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.indexer.build import (
    build_index,
    create_index,
    drop_index,
    ensure_index,
    forget_dropped,
)
from services.indexer.commit import commit
from services.indexer.rebuild import start_rebuild
from services.indexer.reconciler import building
from services.indexer.segments import stored
from services.indexer.sync import read_batch
from services.indexer.tasks import handle
from shared.errors import Conflict, NotFound
from shared.indexes import Why, build_job_id
from shared.spaces import Space, Spaces
from shared.tasks import BuildIndex, CompactShard, SyncShard

if TYPE_CHECKING:
    from tests.indexer.conftest import House


TENANT = "shop"
TWO = BuildIndex("two")
OTHER = Spaces("f2", (Space("content", 8, "f2c"),))


def live(house: "House") -> str:
    alias = house.ports.catalogue.indexes.alias(TENANT, "live")
    assert alias is not None
    return alias.index_id


def state(house: "House", index_id: str = "two") -> str:
    index = house.ports.catalogue.indexes.get(index_id)
    assert index is not None
    return index.state


def stocked(house: "House") -> None:
    house.put("a", [house.image("a")])
    house.put("b", [house.image("b")])
    house.put("c", [])
    house.delete("c")
    house.sync()


def test_a_rebuilt_shard_shows_what_it_showed(house: "House") -> None:
    stocked(house)
    before = house.shown()
    start_rebuild(house.ports, house.index, 0)
    assert house.shown() == {}
    build_index(house.ports, BuildIndex("one"))
    house.sync()
    assert house.shown() == before
    assert house.pointer().rebuilding is None


def test_a_rebuild_interrupted_at_any_step_is_finished_by_another(house: "House") -> None:
    """rebuild_is_state: what emptied the shard says so, and nobody takes it for whole."""
    stocked(house)
    before, tries = house.shown(), 0
    small = house.limited(page=1)
    while True:
        try:
            crashing = small.crashing(tries)
            start_rebuild(crashing.ports, house.index, 0)
            build_index(crashing.ports, BuildIndex("one"))
        except house.crash:
            tries += 1
            if house.pointer().rebuilding is not None:
                build_index(house.ports, BuildIndex("one"))
            house.sync()
            assert house.shown() == before
        else:
            break
    assert tries > 10


def test_an_entry_from_before_the_rebuild_changes_nothing(house: "House") -> None:
    """A slow sync commits an entry without rows into the emptied shard, last of all."""
    stocked(house)
    sha = house.product("a").images[0]
    house.put("a", [sha], title="x")
    slow = read_batch(house.ports, house.index, ["a"])
    assert not slow.entries[0].rows
    start_rebuild(house.ports, house.index, 0)
    build_index(house.ports, BuildIndex("one"))
    house.sync()
    ref = stored(house.ports, house.index, 0, slow.entries)
    commit(
        house.ports,
        house.index,
        0,
        lambda manifest: replace(manifest, segments=(*manifest.segments, ref)),
        read_at=slow.read_at,
    )
    assert house.shown()["a"] == ("x", {sha})


def test_starting_a_rebuild_twice_is_one_rebuild(house: "House") -> None:
    stocked(house)
    first = start_rebuild(house.ports, house.index, 0)
    assert start_rebuild(house.ports, house.index, 0).generation == first.generation


def test_a_second_index_is_ready_when_everything_is_in_it(house: "House") -> None:
    stocked(house)
    create_index(house.ports, house.index_like("two"))
    assert build_index(house.ports, TWO) == "waiting"
    house.clock.forward(minutes=3)
    assert build_index(house.ports, TWO) == "waiting"
    assert live(house) == "one"
    house.sync("two")
    assert build_index(house.ports, TWO) == "ready"
    assert (live(house), state(house)) == ("two", "ready")
    assert house.shown("two") == house.shown("one")


def test_a_backfill_waits_for_writers_that_have_not_heard(house: "House") -> None:
    """backfill_delay, F25: a gateway writes with old targets until its list is read again."""
    stocked(house)
    house.ports.targets.fresh(TENANT)
    create_index(house.ports, house.index_like("two"))
    build_index(house.ports, TWO)
    assert house.ports.catalogue.products.count_pending("two/segments")[0] == 0
    house.put("late", [house.image("late")])
    assert "two/segments" not in house.product("late").pending
    house.clock.forward(minutes=3)
    build_index(house.ports, TWO)
    house.sync()
    house.sync("two")
    build_index(house.ports, TWO)
    assert live(house) == "two"
    assert "late" in house.shown("two")


def test_an_index_is_not_ready_while_an_image_waits_for_its_vector(house: "House") -> None:
    """embedding_complete."""
    stocked(house)
    create_index(house.ports, house.index_like("two", spaces=OTHER))
    house.clock.forward(minutes=3)
    build_index(house.ports, TWO)
    house.sync("two")
    assert build_index(house.ports, TWO) == "waiting"
    assert live(house) == "one"
    for name in "ab":
        house.image(name, fingerprint="f2")
    house.sync("two")
    assert build_index(house.ports, TWO) == "ready"
    assert house.shown("two") == house.shown("one")


def test_an_index_is_not_ready_while_a_product_is_pending(house: "House") -> None:
    """verify_first."""
    stocked(house)
    create_index(house.ports, house.index_like("two"))
    house.clock.forward(minutes=3)
    build_index(house.ports, TWO)
    house.sync("two")
    house.put("a", [], title="changed")
    assert build_index(house.ports, TWO) == "waiting"
    assert live(house) == "one"


def test_an_index_that_misses_a_product_is_not_ready_until_it_has_it(house: "House") -> None:
    """verify_first: the document says that it is indexed, and it is not."""
    stocked(house)
    create_index(house.ports, house.index_like("two"))
    house.clock.forward(minutes=3)
    build_index(house.ports, TWO)
    revision = house.product("a").revision
    house.ports.catalogue.products.mark(TENANT, "two/segments", [("a", revision)])
    house.sync("two")
    assert build_index(house.ports, TWO) == "incomplete"
    assert live(house) == "one"
    house.sync("two")
    assert build_index(house.ports, TWO) == "ready"
    assert house.shown("two") == house.shown("one")


def test_an_index_is_not_ready_while_a_shard_is_rebuilt(house: "House") -> None:
    stocked(house)
    two = create_index(house.ports, house.index_like("two"))
    house.clock.forward(minutes=3)
    build_index(house.ports, TWO)
    house.sync("two")
    busy = house.interrupted("images.unembedded", lambda: start_rebuild(house.ports, two, 0))
    assert build_index(busy.ports, TWO) == "waiting"


def test_whoever_finds_an_index_being_built_goes_on_with_it(house: "House") -> None:
    """index_is_state: a builder dies at every step in turn."""
    stocked(house)
    create_index(house.ports, house.index_like("two"))
    house.clock.forward(minutes=3)
    small, tries = house.limited(page=1), 0
    while state(house) == "building":
        try:
            build_index(small.crashing(tries).ports, TWO)
        except house.crash:
            tries += 1
        house.sync("two")
        if live(house) == "two":
            assert house.shown("two") == house.shown("one")
    assert live(house) == "two"
    assert tries > 10


def test_a_backfill_goes_on_where_it_stopped(house: "House") -> None:
    stocked(house)
    create_index(house.ports, house.index_like("two"))
    house.clock.forward(minutes=3)
    slow = house.limited(page=1, build_ms=-1)
    assert [build_index(slow.ports, TWO) for _ in range(3)] == ["incomplete"] * 3
    assert build_index(slow.ports, TWO) == "waiting"
    index = house.ports.catalogue.indexes.get("two")
    assert index is not None
    job = house.ports.catalogue.office.job(TENANT, build_job_id(index))
    assert job is not None
    assert job.progress["products"] == 3


def test_a_builder_that_froze_takes_the_alias_from_nobody(house: "House") -> None:
    stocked(house)
    for name in ("two", "three"):
        create_index(house.ports, house.index_like(name))
    house.clock.forward(minutes=3)
    for name in ("two", "three"):
        build_index(house.ports, BuildIndex(name))
        house.sync(name)

    def meanwhile() -> None:
        for name in ("two", "three"):
            assert build_index(house.ports, BuildIndex(name)) == "ready"

    zombie = house.interrupted("indexes.move_alias", meanwhile)
    build_index(zombie.ports, TWO)
    assert live(house) == "three"


def test_an_index_asked_for_without_alias_takes_none(house: "House") -> None:
    create_index(house.ports, house.index_like("two"), alias=None)
    house.clock.forward(minutes=3)
    assert build_index(house.ports, TWO) == "ready"
    assert live(house) == "one"


def test_more_shards_hold_the_same_products(house: "House") -> None:
    house.stock(20)
    house.sync()
    create_index(house.ports, house.index_like("two", shards=3))
    house.clock.forward(minutes=3)
    build_index(house.ports, TWO)
    for shard in range(3):
        house.sync("two", shard)
    assert build_index(house.ports, TWO) == "ready"
    ids = [pid for shard in range(3) for pid, _ in house.view("two", shard).products()]
    assert sorted(ids) == sorted(house.shown("one"))


def test_a_dropped_index_is_waited_for_no_more(house: "House") -> None:
    """Not even by a write whose gateway had not heard of the drop."""
    stocked(house)
    create_index(house.ports, house.index_like("two"), alias=None)
    house.clock.forward(minutes=3)
    house.put("p", [])
    assert "two/segments" in house.product("p").pending
    drop_index(house.ports, "two")
    assert "two/segments" not in house.product("p").pending
    house.put("q", [])
    assert "two/segments" in house.product("q").pending
    forget_dropped(house.ports, TENANT)
    house.clock.forward(minutes=3)
    forget_dropped(house.ports, TENANT)
    assert "two/segments" not in house.product("q").pending
    assert build_index(house.ports, TWO) == "gone"


def test_the_index_that_is_live_is_not_dropped(house: "House") -> None:
    with pytest.raises(Conflict):
        drop_index(house.ports, "one")
    with pytest.raises(NotFound):
        drop_index(house.ports, "none")


def test_a_damaged_segment_is_rebuilt_by_whoever_meets_it(house: "House") -> None:
    stocked(house)
    house.put("d", [], title="d")
    house.sync()
    before = house.shown()
    file = house.manifest().segments[0].files[0]
    house.ports.blobs.delete(file.key)
    for n in range(6):
        house.put(f"e{n}", [])
        handle(house.ports, SyncShard("one", 0))
    handle(house.ports, CompactShard("one", 0))
    assert house.pointer().rebuilding is not None
    handle(house.ports, BuildIndex("one"))
    handle(house.ports, SyncShard("one", 0))
    assert {pid: house.shown()[pid] for pid in before} == before


def test_a_retired_index_is_dropped_by_whoever_is_rung_for_it(house: "House") -> None:
    stocked(house)
    two = create_index(house.ports, house.index_like("two"), alias=None)
    house.ports.catalogue.indexes.set_state("two", "retired")
    assert list(building(house.ports)) == [TWO]
    assert build_index(house.ports, TWO) == "gone"
    assert house.ports.catalogue.indexes.get("two") is None
    job = house.ports.catalogue.office.job(TENANT, build_job_id(two))
    assert job is not None
    assert job.state == "cancelled"


def test_an_index_that_an_alias_came_to_meanwhile_stays(house: "House") -> None:
    """Retired by one, made live by another at the same moment: the one that is live wins."""
    create_index(house.ports, house.index_like("two"), alias=None)
    house.clock.forward(minutes=3)
    build_index(house.ports, TWO)
    house.ports.catalogue.indexes.set_state("two", "retired")
    house.ports.catalogue.indexes.move_alias(TENANT, "live", "two")
    assert build_index(house.ports, TWO) == "ready"
    assert (live(house), state(house)) == ("two", "ready")


def test_a_builder_that_froze_makes_no_retired_index_ready(house: "House") -> None:
    create_index(house.ports, house.index_like("two"), alias=None)
    house.clock.forward(minutes=3)

    def retire() -> None:
        house.ports.catalogue.indexes.set_state("two", "retired")

    zombie = house.interrupted("images.unembedded", retire)
    assert build_index(zombie.ports, TWO) == "incomplete"
    assert state(house) == "retired"


def test_an_index_under_any_alias_is_not_dropped(house: "House") -> None:
    create_index(house.ports, house.index_like("two"), alias=None)
    house.ports.catalogue.indexes.move_alias(TENANT, "canary", "two")
    with pytest.raises(Conflict, match="canary"):
        drop_index(house.ports, "two")


def switched(house: "House", *, why: Why, drop: bool) -> None:
    """The catalogue is brought from index one to index two, of another model."""
    two = create_index(house.ports, house.index_like("two", spaces=OTHER), alias=None)
    house.ports.catalogue.indexes.set_state("two", "ready")
    told = Why(fingerprint=house.index.spaces.fingerprint)
    house.ports.catalogue.indexes.move_alias(TENANT, "live", "one", why=told)
    house.ports.catalogue.indexes.move_alias(TENANT, "live", two.index_id, why=why)
    if drop:
        drop_index(house.ports, "one")


def test_the_settings_model_takes_over_once_it_is_complete(house: "House") -> None:
    made = ensure_index(house.ports, house.index_like("two", spaces=OTHER))
    assert made is not None
    assert (made.alias, live(house)) == ("live", "one")
    assert ensure_index(house.ports, house.index_like("three", spaces=OTHER)) is None


def test_settings_set_back_make_the_index_live_that_is_still_there(house: "House") -> None:
    switched(house, why=Why(), drop=False)
    assert ensure_index(house.ports, house.index_like("three")) is None
    assert live(house) == "one"


def test_settings_take_nothing_from_whom_people_chose(house: "House") -> None:
    switched(house, why=Why("passed", by="key_1"), drop=False)
    assert ensure_index(house.ports, house.index_like("three")) is None
    assert live(house) == "two"


def test_settings_that_were_left_alone_bring_no_dropped_model_back(house: "House") -> None:
    switched(house, why=Why("passed", by="key_1"), drop=True)
    assert ensure_index(house.ports, house.index_like("three")) is None
    assert live(house) == "two"
    third = Spaces("f3", (Space("content", 8, "f3c"),))
    assert ensure_index(house.ports, house.index_like("four", spaces=third)) is not None
