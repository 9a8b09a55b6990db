"""What FAISS and Annoy are to a shard: ways to likely rows, no more."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.vectors import Floats

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Found = tuple[Floats, Rows]
"""Similarities (inner products, falling) and the rows that have them."""


class Accelerator(Protocol):
    """Built once over frozen rows, then only searched: what is live or passes is not its matter."""

    def candidates(self, query: Floats, k: int) -> Rows:
        """At most `k` rows that are likely among the nearest, in no promised order."""
        ...


def nothing() -> Found:
    return np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64)
