"""What the indexer stands on, handed to every function of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.catalogue.targets import Targets
from shared.index.elasticsearch.port import Cluster
from shared.queue.port import Queue

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at a time, and from which size on something is worth it."""

    batch: int = 2_000
    """Products that one segment of a sync holds at most."""
    page: int = 500
    sync_ms: int = 20 * SECOND_MS
    """How long a sync goes on before it rings itself and lets others have a turn."""
    build_ms: int = 60 * SECOND_MS
    tier: int = 8
    """Segments of a tier that are merged, and by how much tiers differ in size."""
    tier_from: int = 64
    """Products and rows that lift a segment out of the lowest tier."""
    dead_share: float = 0.25
    graph_from: int = 20_000
    """Rows from which a segment gets a graph, and trees where those are wanted."""
    trees: bool = False
    workers: int = 2
    """Embedding workers; the reconciler keeps twice as many rings waiting."""


def nobody(_index: str, _shard: int) -> None:
    """Nobody waits for commits: readers poll."""


@dataclass(frozen=True, slots=True)
class Ports:
    """`committed(index, shard)` tells readers of a new generation at once; they poll all the same.

    Without `elastic` there is no Elasticsearch here, and indexes that want it go without.
    """

    catalogue: Catalogue
    blobs: Blobs
    queue: Queue
    targets: Targets
    scratch: Path
    limits: Limits = Limits()
    committed: Callable[[str, int], None] = nobody
    elastic: Cluster | None = None
