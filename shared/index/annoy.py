"""Annoy trees: a file beside the codes, that knows rows by their number and cannot filter.

The angular kind fits: stored vectors all have the same length (the root of the number of spaces),
so for any query the nearest by angle are the nearest by inner product. Its distances are not used;
whoever takes candidates has their similarity from the codes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shared.index.accelerator import Rows
from shared.index.damage import DamagedSegment
from shared.index.exact import Codes
from shared.vectors import Floats

try:
    import annoy as library
except ImportError:  # source only, so an installation may do without
    annoy: Any = None
else:
    annoy = library

SEED = 1


@dataclass(frozen=True, slots=True)
class TreesBuild:
    """More trees find more, and take more room."""

    trees: int = 50
    threads: int = 1


def installed() -> bool:
    return annoy is not None


def write_trees(codes: Codes, path: Path, build: TreesBuild) -> None:
    index = annoy.AnnoyIndex(codes.dim, "angular")
    index.set_seed(SEED)
    index.on_disk_build(str(path))
    rows = (row for block in codes.blocks() for row in block)
    for number, row in enumerate(rows):
        index.add_item(number, row)
    index.build(build.trees, n_jobs=build.threads)


@dataclass(frozen=True, eq=False)
class Trees:
    """An `Accelerator`; asking for more than is needed is the caller's."""

    index: Any

    def candidates(self, query: Floats, k: int) -> Rows:
        return np.asarray(self.index.get_nns_by_vector(query, k), dtype=np.int64)


def open_trees(path: Path, dim: int, rows: int) -> Trees:
    """Maps a file. Annoy keeps no dimension in it, so a foreign one shows by its rows only."""
    index = annoy.AnnoyIndex(dim, "angular")
    try:
        index.load(str(path))
    except OSError as error:
        raise DamagedSegment(f"{path.name} holds no trees; rebuild the shard.") from error
    if index.get_n_items() != rows:
        raise DamagedSegment(f"{path.name} holds other rows than its codes; rebuild the shard.")
    return Trees(index)
