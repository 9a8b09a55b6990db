"""Which questions are worth seeing, and what was found for them: the best, the worst, the changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.indexer.exam.answers import Answers, by_product, compared, nearest
from services.indexer.exam.exam import Exam
from services.indexer.exam.photos import NO_CATEGORY, Ints, Judged
from services.indexer.exam.questions import Questions
from shared.vectors import Floats

ROWS: Final = 10

Right = Literal["product", "category", ""]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A product's nearest photo; `right` says whether it is of the product or category asked for."""

    photo: int
    similarity: float
    right: Right


@dataclass(frozen=True, slots=True)
class Row:
    """A photo that asked and its ten nearest products, by this model and by the other."""

    photo: int
    mark: float | None
    """0 to 1; None where nothing can be asked of the photo."""
    near: tuple[Neighbour, ...]
    other_mark: float | None = None
    other: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    title: str
    rows: tuple[Row, ...]


def sheets(exam: Exam, rows: int = ROWS) -> list[Sheet]:
    """Of the default blend; nothing where nothing was asked."""
    if not exam.questions:
        return []
    marks = marks_of(exam.questions, exam.mine.answers["blend"])
    lots = exam.photos.lots[exam.questions.asked]
    falling = np.lexsort((lots, -marks))
    other = _other_marks(exam)
    chosen = [("The best", falling[:rows]), ("The worst", falling[::-1][:rows])]
    if other is not None:
        apart = np.abs(marks - other)
        changed = np.lexsort((lots, -apart))[:rows]
        chosen.append(("The most changed", changed[apart[changed] > 0]))
    return [Sheet(title, _rows(exam, places, marks, other)) for title, places in chosen]


def some(exam: Exam, rows: int) -> Sheet:
    """Questions by lot, whatever came of them; where nothing was asked, photos by lot."""
    if not exam.questions:
        photos = np.argsort(exam.photos.lots, kind="stable")[:rows]
        near = top(exam.mine.judged, photos)
        found = (Row(int(photo), None, row) for photo, row in zip(photos, near, strict=True))
        return Sheet("Drawn by lot", tuple(found))
    places = np.argsort(exam.photos.lots[exam.questions.asked], kind="stable")[:rows]
    marks = marks_of(exam.questions, exam.mine.answers["blend"])
    other = _other_marks(exam)
    return Sheet("Drawn by lot", _rows(exam, places, marks, other))


def _other_marks(exam: Exam) -> NDArray[np.float64] | None:
    return marks_of(exam.questions, exam.other.answers["blend"]) if exam.other else None


def marks_of(questions: Questions, answers: Answers) -> NDArray[np.float64]:
    """By photo that asks, 0 to 1: the mean of what it asked for; finding its product counts 1/rank."""
    asked = np.stack(
        [
            questions.siblings,
            questions.alike | questions.tails,
            np.isin(questions.asked, list(questions.twins)),
        ]
    )
    got = np.stack([1 / np.maximum(answers.rank, 1), answers.precision, answers.twin])
    return np.asarray((asked * got).sum(axis=0) / asked.sum(axis=0))


def top(judged: Judged, asked: Ints) -> list[tuple[Neighbour, ...]]:
    """The ten nearest products of each, by the default blend; its own by its other photos."""
    vectors = judged.vectors.astype(np.float32)
    return [tuple(_nearest(judged, vectors, int(photo))) for photo in asked]


def _nearest(judged: Judged, vectors: Floats, photo: int) -> Iterator[Neighbour]:
    similarities = dict(compared(vectors, judged.spaces, np.array([photo])))["blend"]
    photos = _best_photos(judged, similarities[0])
    best = by_product(judged.photos, similarities)
    for product in nearest(best)[0].tolist():
        if np.isfinite(best[0, product]):
            right = _right(judged, photo, product)
            yield Neighbour(int(photos[product]), float(best[0, product]), right)


def _best_photos(judged: Judged, similarities: Floats) -> Ints:
    """By product, the position of its best photo."""
    order = np.lexsort((-similarities, judged.photos.product_of))
    starts = np.searchsorted(
        judged.photos.product_of[order], np.arange(len(judged.photos.products))
    )
    return order[starts]


def _right(judged: Judged, photo: int, product: int) -> Right:
    photos = judged.photos
    mine = int(photos.product_of[photo])
    if product == mine:
        return "product"
    category = photos.category_of[mine]
    same = category != NO_CATEGORY and category == photos.category_of[product]
    return "category" if same else ""


def _rows(
    exam: Exam,
    places: Sequence[int] | Ints,
    marks: NDArray[np.float64],
    other: NDArray[np.float64] | None,
) -> tuple[Row, ...]:
    asked = exam.questions.asked[places]
    near = top(exam.mine.judged, asked)
    if exam.other is None or other is None:
        mine = zip(asked.tolist(), marks[places].tolist(), near, strict=True)
        return tuple(Row(*row) for row in mine)
    theirs = top(exam.other.judged, asked)
    both = zip(
        asked.tolist(), marks[places].tolist(), near, other[places].tolist(), theirs, strict=True
    )
    return tuple(Row(*row) for row in both)
