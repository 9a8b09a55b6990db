"""How well photos of products that taught nothing find their category: by their nearest neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.embedder.training.nearest import CERTAIN, NEAREST, Photos, Shares, shares
from services.embedder.training.pictures import Photo
from shared.vectors import Floats


@dataclass(frozen=True, eq=False, slots=True)
class Quality:
    """Shares, 0 to 1: of nearest photos of other products, those of the same category."""

    nearest: float
    precision: float
    among: int
    """How many of the nearest `precision` is of: ten, or what categories usually have to find."""
    by_category: Mapping[str, tuple[float, float]]
    """`nearest` and `precision` of each."""
    each: Shares
    """What every photo that was asked about adds to `worth`, in an order that is always the same."""

    def gained_on(self, other: "Quality") -> bool:
        """More than by chance, of the same photos."""
        more = self.each - other.each
        return bool(more.mean() > CERTAIN * more.std() / np.sqrt(len(more)))

    @property
    def worth(self) -> float:
        """What early stopping looks at: the nearest alone jumps where photos are few."""
        return self.nearest + self.precision


def judged(vectors: Floats, photos: Sequence[Photo]) -> Quality:
    """Photos are asked about among each other, `vectors` has a line for each."""
    names, categories = np.unique([photo.category for photo in photos], return_inverse=True)
    products = np.unique([photo.product for photo in photos], return_inverse=True)[1]
    among = Photos(vectors.astype(np.float32), categories, products)
    others = np.bincount(categories)[categories] - 1
    count = max(1, min(NEAREST, int(np.median(others))))
    nearest, precision = shares(among, 1), shares(among, count)
    asked = among.asked().categories
    by_category = {
        str(name): (
            float(nearest[asked == number].mean()),
            float(precision[asked == number].mean()),
        )
        for number, name in enumerate(names)
        if (asked == number).any()
    }
    return Quality(
        float(nearest.mean()), float(precision.mean()), count, by_category, nearest + precision
    )
