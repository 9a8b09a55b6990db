"""FAISS files: flat codes, or an HNSW graph over the same codes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss as library
import numpy as np

from shared.index.accelerator import Mask, Rows
from shared.index.damage import DamagedSegment
from shared.index.exact import Codes, selector
from shared.vectors import Floats

faiss: Any = library  # the types that it ships know half of it

EF_DEFAULT_BLEND = 128
EF_ANY_BLEND = 256
"""Candidates to look at, without a filter: the graph is built for all spaces alike, so a blend
that leaves some out needs more (docs/adr/0003-one-stored-vector.md)."""


@dataclass(frozen=True, slots=True)
class GraphBuild:
    """`links` a node on each level, candidates looked at while building, threads for it."""

    links: int = 32
    ef_construction: int = 80
    threads: int = 1


TRAINED_ON = 4_096
"""Rows, spread over all, that tell the range of each number."""


def write_graph(codes: Codes, path: Path, build: GraphBuild) -> None:
    """Links rows as 8 bits a number are near, and writes them with the codes as they are mapped.

    The same neighbours are found (benchmarks/segment_search.py), and building takes some 600 bytes
    of memory a row of 320 numbers, where float16 would take 900.
    """
    kind = faiss.ScalarQuantizer.QT_8bit
    index = faiss.IndexHNSWSQ(codes.dim, kind, build.links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = build.ef_construction
    faiss.omp_set_num_threads(build.threads)
    spread = np.linspace(0, len(codes) - 1, min(len(codes), TRAINED_ON), dtype=np.int64)
    index.train(codes.vectors(spread))
    for block in codes.blocks():
        index.add(block)
    small, index.storage = index.storage, codes.index
    try:
        faiss.write_index(index, str(path))
    finally:
        index.storage = small


@dataclass(frozen=True, eq=False)
class Graph:
    """An HNSW graph over a segment's codes; an `Accelerator` that can also filter."""

    index: Any

    def candidates(
        self, query: Floats, k: int, *, ef: int = EF_DEFAULT_BLEND, mask: Mask | None = None
    ) -> Rows:
        """With a mask only its rows come back; they may be fewer than there are."""
        chosen = None if mask is None else selector(mask)
        params = faiss.SearchParametersHNSW(sel=chosen, efSearch=max(ef, k))
        faiss.omp_set_num_threads(1)
        _, rows = self.index.search(query[np.newaxis], min(k, self.index.ntotal), params=params)
        found: Rows = rows[0][rows[0] >= 0]
        return found


def open_codes(path: Path) -> tuple[Codes, Graph | None]:
    """Maps a file; what is neither of the two kinds is refused."""
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise DamagedSegment(f"{path.name} is no FAISS index; rebuild the shard.") from error
    graph = isinstance(index, faiss.IndexHNSWSQ)
    codes = faiss.downcast_index(index.storage) if graph else index
    if (
        not isinstance(codes, faiss.IndexScalarQuantizer)
        or codes.sq.qtype != faiss.ScalarQuantizer.QT_fp16
        or index.metric_type != faiss.METRIC_INNER_PRODUCT
        or codes.codes.size() != index.ntotal * codes.code_size
    ):
        raise DamagedSegment(f"{path.name} holds other codes than its format; rebuild the shard.")
    return Codes(codes, index), Graph(index) if graph else None
