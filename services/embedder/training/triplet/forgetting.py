"""Before and after a training, on what it never saw: whether the fresh gained, and the old kept.

A network that learns a shop's latest products forgets the ones before. Nothing is written where that
costs more than it may, and nothing where the gain could be chance.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.embedder.training.triplet.mining import Bools, Groups, Ints, Shares, Told
from shared.errors import Conflict, Invalid
from shared.vectors import Floats

HELD_OUT: Final = 0.25
LOTS: Final = 2**32
MOST_HELD: Final = 2_000
"""Products of each side, fresh and old, that are held out; more would not say more."""
FEWEST: Final = 4
"""Fresh products on either side of the holding out; fewer teach nothing, or tell nothing."""
PAIRED_LEAST: Final = 2 * FEWEST
"""Products with several photos: with fewer, photos of one category are taken for pairs."""
CERTAIN: Final = 2.0
"""Standard errors that a gain has to be; one try, where the best of several would need more."""
_BLOCK: Final = 200


@dataclass(frozen=True, eq=False)
class Exam:
    """`scores` judges vectors of all photos by what was held out, a number each from 0 to 1."""

    scores: Callable[[Floats], Shares]
    fresh: Bools
    """Which of the scores speak of what is learnt; the others of what may not be forgotten."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """Scores of the same exam before and after."""

    before: Shares
    after: Shares
    fresh: Bools

    @property
    def gained(self) -> bool:
        """By more than chance; scores that are no numbers gained nothing."""
        gain = (self.after - self.before)[self.fresh]
        return bool(gain.mean() > CERTAIN * gain.std() / np.sqrt(len(gain)))

    @property
    def lost(self) -> float:
        """How much of the mean score on what is old is gone; 0 where nothing old was asked."""
        old = ~self.fresh
        return float((self.before - self.after)[old].mean()) if old.any() else 0.0

    @property
    def figures(self) -> Mapping[str, float]:
        fresh = {"new_before": self.before[self.fresh], "new_after": self.after[self.fresh]}
        old = {"old_before": self.before[~self.fresh], "old_after": self.after[~self.fresh]}
        return {
            name: round(float(scores.mean()), 4)
            for name, scores in (fresh | old).items()
            if len(scores)
        }


def judged(exam: Exam, before: Floats, after: Floats) -> Verdict:
    return Verdict(exam.scores(before), exam.scores(after), exam.fresh)


def refuse_forgetting(verdict: Verdict, tolerance: float) -> None:
    """Raises `Conflict` with the figures where too much was lost."""
    if verdict.lost <= tolerance:
        return
    told = ", ".join(f"{name} {figure:.4f}" for name, figure in verdict.figures.items())
    raise Conflict(
        f"On held-out old products the quality falls by {verdict.lost:.4f}, and {tolerance:g} is "
        f"allowed ({told}): nothing is written. Train for fewer steps or at a lower rate, allow more "
        "with --forget, or --allow-forgetting.",
        code="forgotten",
    )


def held_out_groups(
    lots: Ints, products: Ints, groups: Ints, fields: Ints, fresh: Bools
) -> tuple[Groups, Exam]:
    """Whole products are held out, of the fresh and of the old; what is taught is all the rest.

    `lots` are the photos' products' (see `pictures.lot`): who is held out once is held out in the
    trainings that go on from there, too, so that no exam asks about what was taught before.
    """
    held = _held(lots, fresh) | _held(lots, ~fresh)
    taught, asked = np.flatnonzero(~held), np.flatnonzero(held)
    for what, photos in (("taught", taught), ("judged by", asked)):
        telling = photos[fresh[photos] & _has_another(groups[photos])]
        if len(several := np.unique(products[telling])) < FEWEST:
            raise Invalid(
                f"{len(several)} new products with photos to compare can be {what}, and it takes "
                f"{FEWEST}: give products two photos each, or categories several products.",
                code="too_few_products",
            )
    lessons = Groups(taught, groups[taught], fields[taught], fresh[taught])
    return lessons, _groups_exam(asked, products, groups, fresh)


def held_out_triplets(lots: Ints, told: Ints, fresh: Bools) -> tuple[Told, Exam]:
    """Queries are held out: no triplet that names one, whatever as, is taught.

    What they are compared with may be known, as a catalogue is. `lots` are the photos', `fresh`
    says it of each triplet.
    """
    held = _held(lots[told[:, 0]], fresh) | _held(lots[told[:, 0]], ~fresh)
    taught = ~np.isin(told, told[held, 0]).any(axis=1)
    for what, which in (("taught", taught), ("judged by", held)):
        if (count := int((which & fresh).sum())) < FEWEST:
            raise Invalid(
                f"{count} new triplets can be {what} once a quarter of the queries is held out, and "
                f"it takes {FEWEST}: name more queries.",
                code="too_few_triplets",
            )
    asked = told[held]
    return Told(told[taught], fresh[taught]), Exam(lambda v: _in_order(v, asked), fresh[held])


def _held(lots: Ints, side: Bools) -> Bools:
    """A quarter of one side by lot, and enough to judge by where a half is no more than that."""
    drawn = np.unique(lots[side])
    least = min(2 * FEWEST, len(drawn) // 2)
    count = max(int(np.searchsorted(drawn, HELD_OUT * LOTS)), least)
    return np.isin(lots, drawn[: min(count, MOST_HELD)]) & side


def _has_another(groups: Ints) -> Bools:
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    several: Bools = counts[place] > 1
    return several


def _groups_exam(asked: Ints, products: Ints, groups: Ints, fresh: Bools) -> Exam:
    """A score for each product: its photos' mean average precision at finding their group."""
    telling = _has_another(groups[asked])
    _, first, product = np.unique(products[asked][telling], return_index=True, return_inverse=True)

    def scores(vectors: Floats) -> Shares:
        precision = average_precision(vectors[asked], groups[asked])[telling]
        means: Shares = np.bincount(product, precision) / np.bincount(product)
        return means

    return Exam(scores, fresh[asked][telling][first])


def average_precision(vectors: Floats, groups: Ints) -> Shares:
    """Of each vector, how early the others of its group come in the order of cosines; 0 without any."""
    found = [_precision(vectors, groups, some) for some in _blocks(len(vectors))]
    return np.concatenate(found) if found else np.empty(0)


def _precision(vectors: Floats, groups: Ints, asked: Ints) -> Shares:
    cosines = vectors[asked] @ vectors.T
    cosines[np.arange(len(asked)), asked] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :-1]
    right: NDArray[np.float64] = (groups[order] == groups[asked][:, None]).astype(np.float64)
    so_far = np.cumsum(right, axis=1) / np.arange(1, right.shape[1] + 1)
    precision: Shares = (so_far * right).sum(axis=1) / np.maximum(right.sum(axis=1), 1)
    return np.where(np.isfinite(cosines).sum(axis=1) == right.shape[1], precision, np.nan)


def _in_order(vectors: Floats, told: Ints) -> Shares:
    """1 where the positive is nearer than the negative, 0 where it is farther."""
    query, near, far = (vectors[told[:, role]] for role in range(3))
    lead = (query * near).sum(axis=1) - (query * far).sum(axis=1)
    share: Shares = (np.sign(lead).astype(np.float64) + 1) / 2
    return share


def _blocks(count: int) -> Iterator[Ints]:
    for start in range(0, count, _BLOCK):
        yield np.arange(start, min(start + _BLOCK, count))
