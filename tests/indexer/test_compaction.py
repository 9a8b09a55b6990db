"""Compaction and commits: the shard shows the same before, during and after, whoever dies."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.indexer.apart import AGE_MS
from services.indexer.commit import commit
from services.indexer.compaction import compact, compact_shard, due, replaced
from services.indexer.ports import Limits
from services.indexer.segments import stored
from services.indexer.sync import read_batch
from services.indexer.tiers import tier_of
from shared.errors import Unavailable
from shared.index.manifest import SegmentRef
from shared.indexes import Pointer
from shared.tasks import CompactShard

if TYPE_CHECKING:
    from tests.indexer.conftest import House


TASK = CompactShard("one", 0)


def one_by_one(house: "House", count: int, prefix: str = "p") -> None:
    for n in range(count):
        product_id = f"{prefix}{n}"
        house.put(product_id, [house.image(product_id)])
        house.sync()


def names(house: "House") -> list[str]:
    return [segment.name for segment in house.manifest().segments]


def test_a_full_tier_becomes_one_segment_that_shows_the_same(house: "House") -> None:
    one_by_one(house, 9)
    before, last = house.shown(), names(house)[-1]
    assert compact_shard(house.ports, TASK)
    assert house.shown() == before
    assert len(names(house)) == 2
    assert names(house)[-1] == last


def test_a_tier_that_is_not_full_is_left_alone(house: "House") -> None:
    one_by_one(house, 7)
    assert not compact_shard(house.ports, TASK)
    assert len(names(house)) == 7


def test_tiers_grow_eightfold() -> None:
    sizes = [1, 63, 64, 511, 512, 32_768]
    refs = [SegmentRef("s", size, 0, ()) for size in sizes]
    assert [tier_of(ref, Limits()) for ref in refs] == [0, 0, 1, 1, 2, 4]


def test_more_than_a_quarter_of_dead_rows_makes_everything_anew(house: "House") -> None:
    ids = house.stock(10)
    house.sync()
    for product_id in ids[:4]:
        house.put(product_id, [house.image(f"another of {product_id}")])
    house.sync()
    before = house.shown()
    assert house.view().dead_rows == 4
    assert compact_shard(house.ports, TASK)
    assert house.shown() == before
    assert [segment.rows for segment in house.manifest().segments] == [10]


def test_a_few_dead_rows_stay(house: "House") -> None:
    house.stock(10)
    house.sync()
    house.put("p0000", [house.image("another")])
    house.sync()
    assert not compact_shard(house.ports, TASK)


def test_only_big_segments_get_a_graph(house: "House") -> None:
    one_by_one(house, 8)
    compact_shard(house.ports, TASK)
    assert not house.manifest().segments[0].graph
    big = house.limited(graph_from=8)
    one_by_one(house, 7, "q")
    compact_shard(big.ports, TASK)
    assert [segment.graph for segment in house.manifest().segments] == [True]


def deleted_among(house: "House", others: int) -> None:
    """A tombstone in a segment of its own among those of others; its first segment stays apart."""
    house.put("gone", [house.image("gone")])
    house.sync()
    house.delete("gone")
    house.sync()
    one_by_one(house, others)


def test_an_old_tombstone_is_forgotten_with_what_it_buried(house: "House") -> None:
    deleted_among(house, 6)
    house.clock.forward(minutes=11)
    compact_shard(house.ports, TASK)
    assert house.manifest().segments[0].products == 6


def test_a_young_tombstone_stays(house: "House") -> None:
    """tombstone_age: somebody who read the product undeleted may still commit."""
    deleted_among(house, 6)
    compact_shard(house.ports, TASK)
    assert house.manifest().segments[0].products == 7


def test_a_tombstone_stays_while_a_segment_left_standing_knows_the_product(house: "House") -> None:
    """tombstone_alone."""
    big = house.limited(tier_from=2)
    big.put("gone", [house.image("one"), house.image("two")])
    big.sync()
    house.delete("gone")
    house.sync()
    for n in range(7):
        house.put(f"p{n}", [])
        house.sync()
    house.clock.forward(minutes=11)
    assert compact(house.limited(tier_from=2).ports, house.index, 0)
    assert "gone" not in house.shown()
    assert len(names(house)) == 2


def test_what_is_committed_during_a_compaction_keeps_its_tombstone(house: "House") -> None:
    """tombstone_each_try: a slow sync commits the deleted product between merge and swap."""
    house.put("gone", [])
    slow = read_batch(house.ports, house.index, ["gone"])
    house.delete("gone")
    house.sync()
    one_by_one(house, 7)
    house.clock.forward(minutes=11)

    def late_commit() -> None:
        ref = stored(house.ports, house.index, 0, slow.entries)
        change = lambda m: replace(m, segments=(*m.segments, ref))  # noqa: E731
        commit(house.ports, house.index, 0, change, read_at=None)

    busy = house.interrupted("indexes.swap", late_commit)
    assert compact(busy.ports, house.index, 0)
    assert "gone" not in house.shown()


def test_a_compaction_whose_input_is_gone_changes_nothing(house: "House") -> None:
    """all_inputs_there: another compaction was faster."""
    one_by_one(house, 8)
    before = house.shown()
    busy = house.interrupted("blobs.put_file", lambda: compact(house.ports, house.index, 0))
    assert not compact(busy.ports, house.index, 0)
    assert house.shown() == before
    assert len(names(house)) == 1


def test_a_zombie_compaction_brings_nothing_back(house: "House") -> None:
    one_by_one(house, 8)

    def meanwhile() -> None:
        compact(house.ports, house.index, 0)
        house.delete("p0")
        house.put("p1", [], title="newer")
        house.sync()
        house.clock.forward(minutes=30)

    zombie = house.interrupted("indexes.swap", meanwhile)
    compact(zombie.ports, house.index, 0)
    assert "p0" not in house.shown()
    assert house.shown()["p1"] == ("newer", set())


def test_a_compaction_that_took_too_long_is_abandoned(house: "House") -> None:
    """Its files may be swept by then."""
    one_by_one(house, 8)

    def freeze() -> None:
        house.clock.forward(hours=2)
        house.put("q", [])
        house.sync()

    frozen = house.interrupted("indexes.swap", freeze)
    assert not compact(frozen.ports, house.index, 0)
    assert len(names(house)) == 9
    assert AGE_MS < 2 * 3_600_000


def test_merged_segments_stand_where_their_last_input_stood(house: "House") -> None:
    one_by_one(house, 4)
    manifest = house.manifest()
    a, b, c, d = manifest.segments
    merged = replace(a, name="merged")
    assert replaced(manifest, [a, c], merged) == (b, merged, d)
    assert replaced(manifest, [b], None) == (a, c, d)


def test_position_breaks_ties_after_a_compaction_too(house: "House") -> None:
    """An entry of the same revision that came after the inputs stays the one that wins."""
    one_by_one(house, 8)
    inputs = house.manifest().segments
    batch = read_batch(house.ports, house.index, ["p3"])
    again = replace(batch.entries[0], attributes=replace(batch.entries[0].attributes, title="tie"))
    ref = stored(house.ports, house.index, 0, [again])
    change = lambda m: replace(m, segments=(*m.segments, ref))  # noqa: E731
    commit(house.ports, house.index, 0, change, read_at=None)
    assert due(house.ports, house.pointer(), house.manifest()) == inputs
    compact(house.ports, house.index, 0)
    assert house.shown()["p3"][0] == "tie"


def test_a_commit_is_tried_anew_when_another_was_faster(house: "House") -> None:
    house.put("p", [])
    busy = house.interrupted("indexes.swap", lambda: (house.put("q", []), commit_of(house, "q")))
    busy.sync()
    assert set(house.shown()) == {"p", "q"}


def commit_of(house: "House", product_id: str) -> Pointer | None:
    batch = read_batch(house.ports, house.index, [product_id])
    ref = stored(house.ports, house.index, 0, batch.entries)
    change = lambda m: replace(m, segments=(*m.segments, ref))  # noqa: E731
    return commit(house.ports, house.index, 0, change, read_at=batch.read_at)


def test_a_lost_swap_leaves_no_manifest_behind(house: "House") -> None:
    house.put("p", [])
    busy = house.interrupted("indexes.swap", lambda: (house.put("q", []), commit_of(house, "q")))
    busy.sync()
    keys = [blob.key for blob in house.ports.blobs.list("tenants/shop/indexes/one/shard-0/")]
    assert sum("manifest" in key for key in keys) == house.pointer().generation


def test_an_answer_that_says_nothing_of_the_swap_is_raised(house: "House") -> None:
    house.put("p", [])

    def down() -> None:
        raise Unavailable("The store is away.")

    with pytest.raises(Unavailable):
        house.interrupted("indexes.swap", down).sync()
    assert house.sync() == 1


@pytest.mark.parametrize("work", ["sync", "compact"])
def test_a_crash_at_any_step_leaves_the_old_or_the_new(house: "House", work: str) -> None:
    """Every port call is the last one once; afterwards the work is done by somebody else."""
    one_by_one(house, 7)
    rounds = 0
    while True:
        one_by_one(house, 1, f"r{rounds}-")
        house.put("p0", [house.image("p0")], title=f"round {rounds}")
        old = house.shown()
        new = old if work == "compact" else {**old, "p0": (f"round {rounds}", old["p0"][1])}
        crashing = house.crashing(rounds)
        try:
            if work == "sync":
                crashing.sync()
            else:
                compact(crashing.ports, house.index, 0)
        except house.crash:
            assert house.shown() in (old, new)
            assert not house.view().damaged
        else:
            break
        house.clock.forward(minutes=2)
        house.sync()
        assert house.shown() == {**old, "p0": (f"round {rounds}", old["p0"][1])}
        compact(house.ports, house.index, 0)
        rounds += 1
    assert rounds > 8
