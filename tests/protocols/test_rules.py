"""Rules that only show when something comes in between two particular calls."""

import pytest

from shared.tasks import EmbedImages, SyncShard
from tests.protocols.stage import CACHE, MINUTE, ONE, SHARDS, TENANT, Stage


@pytest.mark.parametrize("steps", range(2, 12))
def test_a_vector_that_arrives_at_any_step_of_a_sync_is_found(stage: Stage, steps: int) -> None:
    """product_before_images: what is read second may be newer, and only that does no harm."""
    stage.start("put", stage.put, "1", "A", "t", 0)
    stage.drain()
    syncs = [stage.start("sync", stage.answer, SyncShard(ONE, n)) for n in range(SHARDS)]
    for me in syncs * steps:
        if me in stage.processes:
            stage.step(me, 1)
    frozen = [me for me in syncs if me in stage.processes]
    for me in frozen:
        stage.freeze(me, MINUTE)
    stage.start("embed", stage.answer, EmbedImages("f1", TENANT))
    stage.drain()
    stage.finish()


def test_a_write_that_names_old_targets_arrives_before_the_backfill_or_never(stage: Stage) -> None:
    """write_deadline: twice the time that a writer may believe its list, and no more."""
    fresh = stage.gateways[0].ports.targets.fresh(TENANT)
    assert fresh.not_after <= stage.now + 2 * CACHE
    stage.now += CACHE
    again = stage.gateways[0].ports.targets.fresh(TENANT)
    assert again.not_after == fresh.not_after
