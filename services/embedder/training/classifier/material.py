"""What a frozen network says of the photos that teach, and of those of other products that judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from services.embedder.training.classifier.head import Taught
from services.embedder.training.features import Extractor, Features, features
from services.embedder.training.judging import Quality, judged
from services.embedder.training.pictures import (
    FEWEST,
    HELD_OUT_LEAST,
    Photo,
    enough,
    lot,
    split,
)
from services.embedder.training.progress import Tell
from shared.errors import Invalid
from shared.vectors import Floats

MOST: Final = 50_000
"""Photos that are looked at, whole products by lot: what is kept of them lies in memory."""
MOST_JUDGED: Final = 4_000


@dataclass(frozen=True, eq=False, slots=True)
class Material:
    """Only photos that could be read; `names` are the categories that are taught, by number."""

    taught: Features
    held_out: Features
    names: Sequence[str]
    numbers: Taught

    @property
    def unreadable(self) -> list[str]:
        return [*self.taught.unreadable, *self.held_out.unreadable]

    @property
    def photos(self) -> list[Photo]:
        return [*self.taught.photos, *self.held_out.photos]

    @property
    def judging(self) -> Floats:
        """Features of the photos that judge, as they are."""
        return self.held_out.values[:, 0].astype(np.float32)

    def judge(self, vectors: Floats) -> Quality:
        """Of a vector for each photo that judges."""
        return judged(vectors, self.held_out.photos)


def material(photos: Sequence[Photo], extractor: Extractor, scratch: Path, tell: Tell) -> Material:
    """Raises where too few are left, before they are looked at and after."""
    parts = split(enough(_by_lot(photos, MOST)))
    judges = _by_lot(parts.held_out, MOST_JUDGED)
    _check_judges(judges)
    seen = scratch / "seen"
    held_out = features(
        judges, extractor, seen, tell, of_each=1, stage="looking at held-out photos"
    )
    taught = features(parts.taught, extractor, seen, tell)
    _check_left(taught, held_out)
    names, numbers = np.unique([one.category for one in taught.photos], return_inverse=True)
    return Material(taught, held_out, names.tolist(), Taught(taught.values, numbers))


def _by_lot(photos: Sequence[Photo], most: int) -> Sequence[Photo]:
    if len(photos) <= most:
        return photos
    return sorted(photos, key=lambda photo: lot(photo.product))[:most]


def _check_judges(photos: Sequence[Photo]) -> None:
    if len({photo.category for photo in photos}) < 2:
        raise Invalid(
            "Of too few categories there are four products or more, some of which could be held "
            "out to judge by; it takes two such categories.",
            code="too_few_products",
        )


def _check_left(taught: Features, held_out: Features) -> None:
    try:
        enough([*taught.photos, *held_out.photos])
        enough(taught.photos, FEWEST - HELD_OUT_LEAST)
        _check_judges(held_out.photos)
    except Invalid as error:
        unreadable = [*taught.unreadable, *held_out.unreadable]
        if not unreadable:
            raise
        raise Invalid(
            f"{len(unreadable):,} photos cannot be read ({unreadable[0]}), and what is left is too "
            f"little: {error.detail}",
            code=error.kind,
        ) from error
