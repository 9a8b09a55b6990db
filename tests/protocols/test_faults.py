"""Faults of the pipeline, told step by step: writers that freeze or die, and what comes in between."""

from collections.abc import Callable
from typing import Any

import pytest

from services.embedder.verdicts import give_up_image
from services.gateway import dead_letters
from services.gateway.schemas.jobs import ReplayBody
from services.indexer.reconciler import building, embedding, imports, syncing
from shared.indexes import LIVE
from shared.products import bucket_of, shard_of
from shared.seams.embedder import Failure
from shared.tasks import CompactShard, EmbedImages, SyncShard
from tests.protocols.scenery import DAY, HOUR, MINUTE, NAME, ONE, SECOND, SHA, SHARDS, TENANT, TWO
from tests.protocols.stage import Stage

EMBED = EmbedImages("f1", TENANT)
FREEZES = [3 * MINUTE, 11 * MINUTE, 26 * HOUR]


def shown(stage: Stage, index_id: str = ONE) -> dict[str, tuple[str, set[str]]]:
    """Titles and living pictures of the products that an index shows."""
    index = stage.store.indexes.get(index_id)
    assert index is not None
    products = [view.product(pid) for view in stage.views(index) for pid, _ in view.products()]
    return {
        live.product_id: (live.attributes.title, {NAME[sha] for sha in live.shas})
        for live in products
        if live is not None
    }


def do(stage: Stage, work: Callable[..., None], *args: Any, **options: Any) -> None:
    """From beginning to end; who is frozen stays so."""
    stage.start(work.__name__, work, *args, **options)
    stage.drain()


def begun(stage: Stage, steps: int, work: Callable[..., None], *args: Any, **options: Any) -> int:
    """A process that has made so many calls, or all of its calls if those are fewer."""
    me = stage.start(work.__name__, work, *args, **options)
    for _ in range(steps):
        if me in stage.processes:
            stage.step(me, 1)
    return me


def sync(pid: str) -> SyncShard:
    return SyncShard(ONE, shard_of(bucket_of(TENANT, pid), SHARDS))


def live(stage: Stage) -> str:
    alias = stage.store.indexes.alias(TENANT, LIVE)
    assert alias is not None
    return alias.index_id


def work(stage: Stage) -> None:
    """Everything that the documents say is to be done, once."""
    for look in (imports, embedding, syncing, building):
        for task in list(look(stage.indexer)):
            do(stage, stage.answer, task)


@pytest.mark.parametrize("ms", FREEZES)
@pytest.mark.parametrize("steps", range(1, 20, 2))
def test_f20_a_sync_that_was_frozen_changes_nothing_newer(
    stage: Stage, steps: int, ms: int
) -> None:
    first, second = [str(n) for n in range(20) if shard_of(bucket_of(TENANT, str(n)), SHARDS) == 0][
        :2
    ]
    do(stage, stage.put, first, "A", "old", 0)
    do(stage, stage.answer, EMBED)
    zombie = begun(stage, steps, stage.answer, SyncShard(ONE, 0))
    if zombie in stage.processes:
        stage.freeze(zombie, ms)
    stage.now += MINUTE + SECOND  # by then its lease is over
    do(stage, stage.put, first, "A", "new", 1)
    do(stage, stage.answer, SyncShard(ONE, 0))
    do(stage, stage.delete, first, 0, purge=False)
    for title in "abc":
        do(stage, stage.put, second, "A", title, 0)
        do(stage, stage.answer, SyncShard(ONE, 0))
    stage.now += 2 * MINUTE
    stage.drain()
    assert first not in shown(stage)
    stage.now += 20 * MINUTE
    do(stage, stage.answer, CompactShard(ONE, 0))
    stage.finish()
    assert shown(stage) == {second: ("c", {"A"})}


@pytest.mark.parametrize("ms", FREEZES)
@pytest.mark.parametrize("steps", range(8))
def test_f20_a_shop_that_was_frozen_writes_in_time_or_not_at_all(
    stage: Stage, steps: int, ms: int
) -> None:
    """Its picture was swept meanwhile, for nothing showed it."""
    do(stage, stage.put, "1", "A", "first", 0)
    zombie = begun(stage, steps, stage.put, "1", "B", "zombie", 0)
    if zombie in stage.processes:
        stage.freeze(zombie, ms)
    do(stage, stage.put, "1", "C", "last", 1)
    do(stage, stage.sweep)
    stage.now += DAY + MINUTE
    do(stage, stage.sweep)
    stage.finish()


@pytest.mark.parametrize("steps", range(4, 24, 2))
def test_f21_a_chunk_that_runs_again_leaves_the_shops_change(stage: Stage, steps: int) -> None:
    do(stage, stage.bring_in, [("1", "from the file", "A"), ("2", "from the file", "B")])
    (plan,) = imports(stage.indexer)
    do(stage, stage.answer, plan)
    (chunk,) = imports(stage.indexer)
    worker = begun(stage, steps, stage.answer, chunk)
    if worker in stage.processes:
        stage.crash(worker)
    stage.now += SECOND
    do(stage, stage.put, "1", "C", "from the shop", 0)
    stage.finish()
    assert shown(stage) == {"1": ("from the shop", {"C"}), "2": ("from the file", {"B"})}


def test_f22_a_vector_that_arrives_after_its_product_was_indexed_is_found(stage: Stage) -> None:
    do(stage, stage.put, "1", "AB", "t", 0)
    do(stage, stage.answer, sync("1"))
    assert shown(stage) == {"1": ("t", set())}
    do(stage, stage.answer, EMBED)
    stage.finish()
    assert shown(stage) == {"1": ("t", {"A", "B"})}


def test_f22_a_picture_replayed_from_the_dead_letters_is_found(stage: Stage) -> None:
    do(stage, stage.put, "1", "AB", "t", 0)
    ports = stage.embedders["f1"]
    image = stage.store.images.get(TENANT, [SHA["A"]])[SHA["A"]]
    failure = Failure("undecodable_image", "The decoder had a bug.")
    assert give_up_image(ports, TENANT, SHA["A"], image.place, failure)
    do(stage, stage.answer, EMBED)
    do(stage, stage.answer, sync("1"))
    assert shown(stage) == {"1": ("t", {"B"})}
    replayed = dead_letters.replay(stage.gateways[0], ReplayBody())
    assert replayed.replayed == 1
    stage.finish()
    assert shown(stage) == {"1": ("t", {"A", "B"})}


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize("confirmed", [False, True])
def test_f23_deleted_purged_and_put_again_at_once_is_found(
    stage: Stage, *, purge: bool, confirmed: bool
) -> None:
    do(stage, stage.put, "1", "A", "t", 0)
    stage.quiet()
    stage.now += 11 * MINUTE
    do(stage, stage.delete, "1", 0, purge=purge)
    if confirmed:
        do(stage, stage.answer, sync("1"))
    do(stage, stage.put, "1", "A", "t", 1)
    stage.finish()
    assert shown(stage) == {"1": ("t", {"A"})}


@pytest.mark.parametrize("steps", range(1, 8))
def test_f24_a_picture_that_another_product_takes_up_outlives_purge_and_sweep(
    stage: Stage, steps: int
) -> None:
    do(stage, stage.put, "1", "A", "t", 0)
    stage.quiet()
    stage.now += HOUR
    other = begun(stage, steps, stage.put, "2", "A", "t", 1)
    me = begun(stage, 99, stage.delete, "1", 0, purge=True)
    assert me not in stage.processes
    if other in stage.processes:
        stage.freeze(other, MINUTE)
    begun(stage, 99, stage.sweep)
    stage.finish()
    assert shown(stage) == {"2": ("t", {"A"})}


@pytest.mark.parametrize("steps", range(1, 16, 2))
def test_f24_a_picture_that_is_taken_up_while_it_is_swept_stays(stage: Stage, steps: int) -> None:
    do(stage, stage.put, "1", "A", "t", 0)
    do(stage, stage.delete, "1", 0, purge=False)
    stage.quiet()
    do(stage, stage.sweep)
    stage.now += DAY + MINUTE
    begun(stage, steps, stage.sweep)
    do(stage, stage.put, "2", "A", "t", 1)
    stage.finish()
    assert shown(stage) == {"2": ("t", {"A"})}


@pytest.mark.parametrize("late", [SECOND, 30 * SECOND, 59 * SECOND])
def test_f25_a_write_through_a_gateway_that_has_not_heard_is_in_the_new_index(
    stage: Stage, late: int
) -> None:
    do(stage, stage.put, "1", "A", "t", 0)
    stage.quiet()
    stage.now += 2 * MINUTE
    do(stage, stage.put, "1", "A", "u", 0)  # from here on the gateway knows its targets
    do(stage, stage.second_index)
    for _ in range(3):
        work(stage)
    stage.now += late
    do(stage, stage.put, "2", "B", "t", 0)
    assert f"{TWO}/segments" not in stage.store.products.get(TENANT, ["2"])["2"].pending
    while live(stage) == ONE:
        work(stage)
        stage.now += 10 * SECOND
    assert shown(stage, TWO) == {"1": ("u", {"A"}), "2": ("t", {"B"})}
    stage.finish()
