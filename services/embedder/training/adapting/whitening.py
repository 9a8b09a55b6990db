"""A model brought nearer to a shop in closed form: its content space whitened within categories.

What differs between photos of one category says little about which category it is. Dividing by how much
vectors differ there lets the rest count for more. Shrinkage towards no change at all is chosen on
products that were held out; a gain there that could be chance is none, and nothing is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.embedder.heads import Head
from shared.errors import Invalid
from shared.vectors import Floats

Ints = NDArray[np.int64]
Shares = NDArray[np.float64]

SHRINKAGES: Final = (0.9, 0.5, 0.3, 0.1, 0.03, 0.01)
NEAREST: Final = 10
ASKED: Final = 2_000
AMONG: Final = 20_000
"""Photos that are asked about, and those they are compared with, in each half; the rest only teaches."""
FEWEST: Final = 4
"""Products of a category: fewer say nothing once they are parted in halves."""
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


@dataclass(frozen=True, eq=False)
class Adapted:
    """`before` and `after`: of the ten nearest photos of other products, the share of the category."""

    head: Head | None
    """None where no shrinkage gained for certain."""
    shrinkage: float
    before: float
    after: float


def adapted(photos: Photos, seed: int = 7) -> Adapted:
    """The best head by both halves of the products in turn, fitted anew on all."""
    photos = _taught(photos)
    halves = list(_halves(photos, seed))
    before = np.concatenate([shares(judged) for _, judged in halves])
    after = {
        shrinkage: np.concatenate([_shares_after(*half, shrinkage) for half in halves])
        for shrinkage in SHRINKAGES
    }
    best = max(after, key=lambda shrinkage: float(after[shrinkage].mean()))
    gained = after[best] - before
    if not gained.mean() > CERTAIN * gained.std() / np.sqrt(len(gained)):
        return Adapted(None, 1.0, float(before.mean()), float(before.mean()))
    return Adapted(whitening(photos, best), best, float(before.mean()), float(after[best].mean()))


def whitening(photos: Photos, shrinkage: float) -> Head:
    """The root of the inverse of how vectors differ within their categories."""
    vectors = photos.vectors.astype(np.float64)
    _, category = np.unique(photos.categories, return_inverse=True)
    counts = np.bincount(category)
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, category, vectors)
    within = vectors.T @ vectors - (sums / counts[:, None]).T @ sums
    within /= max(1, len(vectors) - len(counts))
    even = np.trace(within) / len(within) * np.eye(len(within))
    sizes, directions = np.linalg.eigh((1 - shrinkage) * within + shrinkage * even)
    matrix = (directions / np.sqrt(np.maximum(sizes, 1e-12))) @ directions.T
    # Lengths are unit afterwards: the scale is free, and this one keeps well in float32.
    return Head(
        vectors.mean(axis=0).astype(np.float32),
        (matrix / np.abs(matrix).max()).astype(np.float32),
    )


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


def _shares_after(taught: Photos, judged: Photos, shrinkage: float) -> Shares:
    head = whitening(taught, shrinkage)
    return shares(Photos(head(judged.vectors), judged.categories, judged.products))


def _halves(photos: Photos, seed: int) -> Iterator[tuple[Photos, Photos]]:
    """Whole products on one side or the other; both ways round."""
    products = np.unique(photos.products)
    first = np.random.default_rng(seed).permutation(products)[: len(products) // 2]
    one = np.isin(photos.products, first)
    yield photos.some(one), photos.some(~one)
    yield photos.some(~one), photos.some(one)


def _taught(photos: Photos) -> Photos:
    """Those of categories that have products enough; two such categories at least."""
    pairs = np.unique(np.stack([photos.categories, photos.products]), axis=1)
    category, counts = np.unique(pairs[0], return_counts=True)
    enough = category[counts >= FEWEST]
    if len(enough) < 2:
        raise Invalid(
            f"Adapting takes two categories of {FEWEST} products or more, and {len(enough)} of "
            f"{len(category)} here have so many. Put pictures into folders by category, or give "
            "products a category.",
            code="too_few_categories",
        )
    return photos.some(np.isin(photos.categories, enough))


def units(vectors: Floats) -> Floats:
    """Every line at length one."""
    found: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return found


def _spread(count: int, most: int) -> Ints:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _blocks(count: int) -> Iterator[Ints]:
    for start in range(0, count, _BLOCK):
        yield np.arange(start, min(start + _BLOCK, count))
