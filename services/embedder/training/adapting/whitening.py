"""A model brought nearer to a shop in closed form: its content space whitened within categories.

What differs between photos of one category says little about which category it is. Dividing by how much
vectors differ there lets the rest count for more. Shrinkage towards no change at all is chosen on
products that were held out; a gain there that could be chance is none, and nothing is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.embedder.heads import Head
from services.embedder.training.nearest import CERTAIN, Photos, Shares, shares
from shared.errors import Invalid

SHRINKAGES: Final = (0.9, 0.5, 0.3, 0.1, 0.03, 0.01)
FEWEST: Final = 4
"""Products of a category: fewer say nothing once they are parted in halves."""


@dataclass(frozen=True, eq=False)
class Adapted:
    """`before` and `after`: of the ten nearest photos of other products, the share of the category."""

    head: Head | None
    """None where no shrinkage gained for certain."""
    shrinkage: float
    before: float
    after: float

    @property
    def sentence(self) -> str:
        """What came of it, for people."""
        judged = "Of the ten nearest photos of a held-out product"
        before, after = (f"{100 * share:.1f} %" for share in (self.before, self.after))
        if self.head is None:
            return f"{judged}, {before} are of its category, and nothing made it more."
        return f"{judged}, {after} are of its category; without adapting {before}."


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
