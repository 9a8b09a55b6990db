"""Rules that only show when something comes in between two particular calls."""

import pytest

from services.indexer.commit import commit, manifest_of
from services.indexer.compaction import Merge
from shared.index.manifest import SegmentRef
from shared.products import bucket_of, shard_of
from shared.tasks import BuildIndex, EmbedImages, SyncShard
from tests.protocols.scenery import CACHE, MINUTE, ONE, SHARDS, TENANT
from tests.protocols.stage import Stage


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


@pytest.mark.parametrize("steps", range(2, 20))
def test_a_shard_rebuilt_at_any_step_of_a_sync_has_its_rows_again(stage: Stage, steps: int) -> None:
    """rebuild_bumps: the sync read that rows are there, and would confirm an entry without."""
    stage.start("put", stage.put, "1", "A", "t", 0)
    stage.quiet()
    stage.start("patch", stage.patch, "1", "u", 0)
    stage.drain()
    shard = shard_of(bucket_of(TENANT, "1"), SHARDS)
    sync = stage.start("sync", stage.answer, SyncShard(ONE, shard))
    for _ in range(steps):
        if sync in stage.processes:
            stage.step(sync, 1)
    if sync in stage.processes:
        stage.freeze(sync, MINUTE)
    stage.start("rebuild", stage.rebuild, ONE, shard)
    stage.drain()
    stage.start("build", stage.answer, BuildIndex(ONE))
    stage.drain()
    stage.finish()


def test_a_write_that_names_old_targets_arrives_before_the_backfill_or_never(stage: Stage) -> None:
    """write_deadline: twice the time that a writer may believe its list, and no more."""
    fresh = stage.gateways[0].ports.targets.fresh(TENANT)
    assert fresh.not_after <= stage.now + 2 * CACHE
    stage.now += CACHE
    again = stage.gateways[0].ports.targets.fresh(TENANT)
    assert again.not_after == fresh.not_after


def test_a_compaction_that_lost_one_of_its_inputs_brings_nothing_back(stage: Stage) -> None:
    """all_inputs_there: another one has forgotten a product with its tombstone meanwhile."""
    pids = [pid for pid in map(str, range(20)) if shard_of(bucket_of(TENANT, pid), SHARDS) == 0]
    for pid in pids[:3]:
        stage.start("put", stage.put, pid, "A", "t", 0)
        stage.drain()
        synced(stage)
    zombie = merge(stage, *segments(stage))
    stage.start("delete", stage.delete, pids[0], 0, purge=False)
    stage.drain()
    synced(stage)
    stage.now += 11 * MINUTE
    first, *_, tombstone = segments(stage)
    assert commits(stage, merge(stage, first, tombstone))
    assert len(segments(stage)) == 2
    assert not commits(stage, zombie)
    stage.finish()


def synced(stage: Stage) -> None:
    stage.start("sync", stage.answer, SyncShard(ONE, 0))
    stage.drain()


def segments(stage: Stage) -> tuple[SegmentRef, ...]:
    index, pointer = stage.store.indexes.get(ONE), stage.store.indexes.pointer(ONE, 0)
    assert index is not None
    return manifest_of(stage.plain_blobs, index, pointer).segments


def merge(stage: Stage, *inputs: SegmentRef) -> Merge:
    index = stage.store.indexes.get(ONE)
    assert index is not None
    return Merge(stage.indexer, index, 0, inputs, stage.now)


def commits(stage: Stage, change: Merge) -> bool:
    return commit(stage.indexer, change.index, 0, change, read_at=None) is not None
