"""How many of the photos nearest to one are of its category: what models are judged by here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.vectors import Floats

Ints = NDArray[np.int64]
Shares = NDArray[np.float64]

NEAREST: Final = 10
ASKED: Final = 2_000
AMONG: Final = 20_000
"""Photos that are asked about, and those they are compared with."""
CERTAIN: Final = 3.0
"""Standard errors that a gain has to be; the best of several tries is easily two by chance."""
_BLOCK: Final = 500


@dataclass(frozen=True, eq=False)
class Photos:
    """A line of `vectors` each, and the numbers of its category and its product."""

    vectors: Floats
    categories: Ints
    products: Ints

    def __len__(self) -> int:
        return len(self.vectors)

    def some(self, which: NDArray[np.bool_] | Ints) -> "Photos":
        return Photos(self.vectors[which], self.categories[which], self.products[which])

    def compared(self) -> "Photos":
        """Not more than `AMONG`, evenly spread."""
        return self.some(_spread(len(self), AMONG))

    def asked(self) -> "Photos":
        """Of those compared not more than `ASKED`: `shares` has a line for each."""
        among = self.compared()
        return among.some(_spread(len(among), ASKED))


def shares(photos: Photos, nearest: int = NEAREST) -> Shares:
    """Of the so many nearest photos of other products, the share of its own category; a line for
    each photo of `photos.asked()`.
    """
    asked, among = photos.asked(), photos.compared()
    blocks = _blocks(len(asked))
    return np.concatenate([_right(asked.some(some), among, nearest) for some in blocks])


def _right(asked: Photos, among: Photos, most: int) -> Shares:
    likeness = units(asked.vectors) @ units(among.vectors).T
    likeness[asked.products[:, None] == among.products] = -np.inf
    count = min(most, likeness.shape[1] - 1)
    nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
    others = np.isfinite(np.take_along_axis(likeness, nearest, axis=1))
    right = others & (among.categories[nearest] == asked.categories[:, None])
    share: Shares = right.mean(axis=1)
    return share


def units(vectors: Floats) -> Floats:
    """Every line at length one."""
    found: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return found


def _spread(count: int, most: int) -> Ints:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _blocks(count: int) -> Iterator[Ints]:
    for start in range(0, count, _BLOCK):
        yield np.arange(start, min(start + _BLOCK, count))
