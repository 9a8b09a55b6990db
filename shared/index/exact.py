"""The truth about similarity: inner products with the stored fp16 codes, scanned by FAISS."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import faiss as library
import numpy as np
from numpy.typing import NDArray

from shared.index.accelerator import Found, Mask, Rows, nothing
from shared.vectors import Floats

faiss: Any = library  # the types that it ships know half of it

GATHER_BELOW = 1 / 32
"""Of fewer rows than this part, copying the codes is cheaper than skipping all the others."""
BLOCK = 4_096


def new_codes(dim: int) -> Any:
    """An empty FAISS index that keeps float16 and compares by inner product."""
    kind = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexScalarQuantizer(dim, kind, faiss.METRIC_INNER_PRODUCT)


@dataclass(slots=True)
class CodesWriter:
    """Appends rows to a flat file that FAISS reads; none of them stays in memory."""

    file: BinaryIO
    rows: int = 0

    def append(self, vector: bytes) -> None:
        """Little-endian float16, as many as the file's dimension."""
        self.file.write(vector)
        self.rows += 1


@contextmanager
def codes_writer(dim: int, path: Path) -> Iterator[CodesWriter]:
    """The head of the file says how many rows there are, so it is written once more at the end."""
    with path.open("wb") as file:
        file.write(_head(dim, 0))
        writer = CodesWriter(file)
        yield writer
        file.seek(0)
        file.write(_head(dim, writer.rows))


def _head(dim: int, rows: int) -> bytes:
    """What FAISS writes before codes: kind and dimension, 4 bytes each, rows, and last their bytes."""
    empty: bytes = faiss.serialize_index(new_codes(dim)).tobytes()
    size = rows * 2 * dim
    return empty[:8] + rows.to_bytes(8, "little") + empty[16:-8] + size.to_bytes(8, "little")


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

    def blocks(self) -> Iterator[Floats]:
        """All vectors in order, some thousands at a time."""
        for start in range(0, len(self), BLOCK):
            yield self.vectors(np.arange(start, min(start + BLOCK, len(self))))

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
