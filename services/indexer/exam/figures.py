"""Answers as figures: a mean each, how sure it is, and what two models differ by on the same questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from services.indexer.exam.answers import Answers, K, Way
from services.indexer.exam.photos import Ints, Photos
from services.indexer.exam.questions import Questions

FigureName = Literal[
    "same_product_first",
    "same_product_in_10",
    "category_precision_at_10",
    "tail_precision_at_10",
    "duplicates_first",
]
FIGURES: Final[tuple[FigureName, ...]] = get_args(FigureName)
SAID: Final[Mapping[FigureName, str]] = {
    "same_product_first": "another photo of the product is found first",
    "same_product_in_10": "another photo of the product is among the first ten",
    "category_precision_at_10": "of the ten nearest products, those of the same category",
    "tail_precision_at_10": "the same for the smaller half of the categories",
    "duplicates_first": "the same photo in another saving is found first",
}


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A mean over what counts as one: products, for the tail categories, for duplicates photos.

    Photos of one product are not independent of each other, so they are one value.
    """

    values: NDArray[np.float64]
    questions: int

    @property
    def value(self) -> float:
        return float(self.values.mean())

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return _error(self.values)

    def told(self) -> Mapping[str, Any]:
        return {
            "value": round(self.value, 4),
            "error": round(self.error, 4),
            "questions": self.questions,
        }


Figures = Mapping[Way, Mapping[FigureName, Figure]]


def figures_of(photos: Photos, questions: Questions, answers: Mapping[Way, Answers]) -> Figures:
    """Those that something was asked for."""
    return {way: _figures(photos, questions, found) for way, found in answers.items()}


def _figures(photos: Photos, questions: Questions, answers: Answers) -> Mapping[FigureName, Figure]:
    product = photos.product_of[questions.asked]
    category = photos.category_of[product]
    siblings, alike, tails = questions.siblings, questions.alike, questions.tails
    twins = np.isin(questions.asked, list(questions.twins))
    found = {
        "same_product_first": _mean_by(product[siblings], answers.rank[siblings] == 1),
        "same_product_in_10": _mean_by(product[siblings], answers.rank[siblings] <= K),
        "category_precision_at_10": _mean_by(product[alike], answers.precision[alike]),
        "tail_precision_at_10": _mean_by(category[tails], answers.precision[tails]),
        "duplicates_first": _mean_by(questions.asked[twins], answers.twin[twins]),
    }
    return {name: found[name] for name in FIGURES if found[name].questions}


def _mean_by(group: Ints, marks: NDArray[Any]) -> Figure:
    """A value a group, in the groups' order, which is the same for every model."""
    _, number, counts = np.unique(group, return_inverse=True, return_counts=True)
    sums = np.bincount(number, weights=marks.astype(np.float64), minlength=len(counts))
    return Figure(sums / counts, len(group))


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one model's figure is above another's, question by question, and how sure that is."""

    value: float
    error: float
    counted: int

    def told(self) -> Mapping[str, float]:
        return {"value": round(self.value, 4), "error": round(self.error, 4)}


def difference(mine: Figure, other: Figure) -> Difference:
    """Both of the same questions."""
    apart = mine.values - other.values
    return Difference(float(apart.mean()), _error(apart), len(apart))


def _error(values: NDArray[np.float64]) -> float:
    if len(values) < 2:
        return 0.0
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def differences(mine: Figures, other: Figures) -> Mapping[Way, Mapping[FigureName, Difference]]:
    """In the ways and figures that both have."""
    return {
        way: {
            name: difference(figure, other[way][name])
            for name, figure in found.items()
            if name in other[way]
        }
        for way, found in mine.items()
        if way in other
    }
