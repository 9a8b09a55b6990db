"""The truth about similarity: inner products with the stored fp16 codes, scanned by FAISS."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss as library
import numpy as np
from numpy.typing import NDArray

from shared.index.accelerator import Found, Mask, Rows, nothing
from shared.vectors import Floats

faiss: Any = library  # the types that it ships know half of it

GATHER_BELOW = 1 / 32
"""Of fewer rows than this part, copying the codes is cheaper than skipping all the others."""


def new_codes(dim: int) -> Any:
    """An empty FAISS index that keeps float16 and compares by inner product."""
    kind = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexScalarQuantizer(dim, kind, faiss.METRIC_INNER_PRODUCT)


def write_codes(blocks: Iterable[Floats], dim: int, path: Path) -> None:
    """A flat file; float16 values that come as float32 are kept bit by bit."""
    index = new_codes(dim)
    for block in blocks:
        index.add(block)
    faiss.write_index(index, str(path))


def selector(mask: Mask) -> Any:
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))


@dataclass(frozen=True, eq=False)
class Codes:
    """Mapped codes. `owner` keeps the file open that `index` may be only a part of."""

    index: Any
    owner: Any

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def dim(self) -> int:
        return int(self.index.d)

    @cached_property
    def raw(self) -> NDArray[np.uint8]:
        """The bytes of the codes, one line a row, as a view on the map."""
        size = len(self) * self.index.code_size
        found: NDArray[np.uint8] = faiss.rev_swig_ptr(self.index.codes.data(), size)
        return found.reshape(len(self), self.index.code_size)

    def vectors(self, rows: Rows) -> Floats:
        return self.raw[rows].view(np.float16).astype(np.float32)

    def search(self, query: Floats, k: int, mask: Mask) -> Found:
        """The nearest rows of the mask, by similarity falling, then by row."""
        passing = int(np.count_nonzero(mask))
        if passing <= len(mask) * GATHER_BELOW:
            return self.among(query, k, np.flatnonzero(mask))
        chosen = None if passing == len(mask) else faiss.SearchParameters(sel=selector(mask))
        return _scan(self.index, query, min(k, passing), chosen)

    def among(self, query: Floats, k: int, rows: Rows) -> Found:
        """The same of rows by name; by the same kernel, so that similarities agree to the bit."""
        if not len(rows):
            return nothing()
        few = new_codes(self.dim)
        few.add_sa_codes(self.raw[rows])
        similarities, found = _scan(few, query, min(k, len(rows)), None)
        return similarities, rows[found]


def _scan(index: Any, query: Floats, k: int, chosen: Any) -> Found:
    faiss.omp_set_num_threads(1)  # holds for the calling thread; requests are the parallelism
    similarities, rows = index.search(query[np.newaxis], k, params=chosen)
    there = rows[0] >= 0
    return similarities[0][there], rows[0][there]
