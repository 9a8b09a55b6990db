"""What the indexer does when it is rung."""

import logging

from services.indexer.audit import rebuild_if_damaged
from services.indexer.build import build_index
from services.indexer.compaction import compact_shard
from services.indexer.elastic import sync_elasticsearch
from services.indexer.exam.job import evaluate
from services.indexer.ports import Ports
from services.indexer.reembedding import follow
from services.indexer.sync import sync_shard
from shared.index.damage import DamagedSegment
from shared.tasks import BuildIndex, CompactShard, Evaluate, SyncElasticsearch, SyncShard

logger = logging.getLogger(__name__)

IndexerTask = SyncShard | SyncElasticsearch | CompactShard | BuildIndex | Evaluate


def handle(ports: Ports, task: IndexerTask) -> None:
    """Answers one ring; files that turn out damaged are the shard's new beginning."""
    try:
        _answer(ports, task)
    except DamagedSegment:
        logger.exception("%s met a damaged file", task)
        _mend(ports, task)


def _answer(ports: Ports, task: IndexerTask) -> None:
    match task:
        case SyncShard():
            sync_shard(ports, task)
        case SyncElasticsearch():
            sync_elasticsearch(ports, task)
        case CompactShard():
            compact_shard(ports, task)
        case BuildIndex():
            build_index(ports, task)
            follow(ports, task.index)
        case Evaluate():
            evaluate(ports, task)


def _mend(ports: Ports, task: IndexerTask) -> None:
    if isinstance(task, Evaluate):
        return  # it only reads; whoever audits the index finds the same
    if index := ports.catalogue.indexes.get(task.index):
        shards = range(index.shards) if isinstance(task, BuildIndex) else [task.shard]
        for shard in shards:
            rebuild_if_damaged(ports, index, shard)
