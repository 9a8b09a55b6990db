"""How fast an index answers, how much of the truth its graphs find, and how large it is."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from services.indexer.commit import manifest_of
from services.indexer.exam.answers import K
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import Unavailable
from shared.hits import DEFAULT_BLEND
from shared.index.faiss import EF_DEFAULT_BLEND
from shared.index.view import SegmentView, ShardView, open_view
from shared.indexes import Index
from shared.vectors import Floats, blended

SEARCHES: Final = 256
ROUNDS: Final = 2
"""Every search is timed so often, and its best time counts: a busy machine is not the index's."""

Row = tuple[float, int, int, int]
"""Similarity, then shard, segment and row."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of a search for ten rows over all shards, one after the other, in one thread."""

    p50_ms: float
    p99_ms: float
    recall_at_10: float
    """Of the ten rows that a scan finds, the share that graphs find too; 1 where there is no graph."""
    accelerated: bool
    rows: int
    products: int
    size_bytes: int
    bytes_per_product: float

    def told(self) -> Mapping[str, Any]:
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """An index as its pointers were at one moment, and queries in its model's vectors."""

    views: tuple[ShardView, ...]
    queries: tuple[Floats, ...]
    size_bytes: int

    @property
    def accelerated(self) -> bool:
        return any(segment.has_graph for view in self.views for segment in view.segments)


def opened(catalogue: Catalogue, blobs: Blobs, index: Index, queries: Floats) -> Opened | None:
    """None for an index without segments, or with none of them filled yet."""
    pointers = [catalogue.indexes.pointer(index.index_id, n) for n in range(index.shards)]
    views = tuple(open_view(blobs, pointer, index.spaces) for pointer in pointers)
    if damaged := [name for view in views for name in view.damaged]:
        raise Unavailable(
            f"{len(damaged)} segments of {index.index_id} are damaged; they are rebuilt when the "
            "index is audited. Ask again then."
        )
    if not any(view.live_rows for view in views):
        return None
    manifests = [manifest_of(blobs, index, pointer) for pointer in pointers]
    size = sum(f.size for m in manifests for segment in m.segments for f in segment.files)
    asked = tuple(blended(one, index.spaces, DEFAULT_BLEND) for one in queries)
    return Opened(views, asked, size)


def paces(indexes: Sequence[Opened], between: Callable[[], object]) -> list[Pace]:
    """In their order; their searches take turns, so that a busy moment of the machine hits all."""
    best = [np.full(len(index.queries), np.inf) for index in indexes]
    for _ in range(ROUNDS):
        between()
        for number in range(max(len(index.queries) for index in indexes)):
            for index, times in zip(indexes, best, strict=True):
                if number < len(index.queries):
                    begun = time.perf_counter()
                    search(index.views, index.queries[number])
                    times[number] = min(times[number], time.perf_counter() - begun)
    return [_pace(index, times, between) for index, times in zip(indexes, best, strict=True)]


def search(views: Sequence[ShardView], query: Floats, *, exact: bool = False) -> list[Row]:
    """The ten nearest rows, by graphs where there are any, as a search without a filter goes."""
    found: list[Row] = []
    for shard, view in enumerate(views):
        for number, segment in enumerate(view.segments):
            similarities, rows = _fetched(segment, query, exact=exact)
            found += [
                (similarity, shard, number, row)
                for similarity, row in zip(similarities.tolist(), rows.tolist(), strict=True)
            ]
    return sorted(found, key=lambda row: (-row[0], *row[1:]))[:K]


def _fetched(segment: SegmentView, query: Floats, *, exact: bool) -> tuple[Floats, Any]:
    if exact or not segment.has_graph:
        return segment.exact(query, K, segment.live)
    return segment.graph(query, K, EF_DEFAULT_BLEND)


def _pace(index: Opened, seconds: Floats, between: Callable[[], object]) -> Pace:
    p50, p99 = (float(ms) for ms in np.percentile(1_000 * seconds, (50, 99)))
    products = sum(1 for view in index.views for _ in view.products())
    return Pace(
        p50_ms=p50,
        p99_ms=p99,
        recall_at_10=_recall(index, between) if index.accelerated else 1.0,
        accelerated=index.accelerated,
        rows=sum(view.live_rows for view in index.views),
        products=products,
        size_bytes=index.size_bytes,
        bytes_per_product=index.size_bytes / products,
    )


def _recall(index: Opened, between: Callable[[], object]) -> float:
    shares = []
    for query in index.queries:
        between()
        true = {row[1:] for row in search(index.views, query, exact=True)}
        found = {row[1:] for row in search(index.views, query)}
        shares.append(len(true & found) / len(true))
    return float(np.mean(shares))
