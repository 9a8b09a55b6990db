"""What a model answers: for every photo that asks, how well its neighbours fit, in every space.

Memory is bounded by the vectors and a block of similarities; time is that of comparing every photo
that asks with all photos.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.indexer.exam.photos import Ints, Judged, Photos
from services.indexer.exam.questions import Questions
from shared.hits import DEFAULT_BLEND
from shared.spaces import SpaceName, Spaces
from shared.vectors import Floats

Way = Literal["blend"] | SpaceName
"""How vectors are compared: by the default blend, which searches go by, or in one space."""
K: Final = 10
_AT_ONCE: Final = 1 << 23
"""Similarities of a block, a space."""
_STRIDE: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """By photo that asks; what was not asked of it has no meaning."""

    rank: Ints
    """Of its product, found by its other photos, among all products; a tie is lost."""
    precision: NDArray[np.float64]
    """Of the ten nearest products, or as many as its category has, the share that are of it."""
    twin: NDArray[np.bool_]
    """Whether a twin is nearer than all other photos; a tie is lost."""


def answered(
    judged: Judged, questions: Questions, tell: Callable[[int, int], object]
) -> Mapping[Way, Answers]:
    """`tell` is called between blocks, with how many photos have asked and how many will."""
    count = len(questions.asked)
    vectors = judged.vectors.astype(np.float32)
    ways: tuple[Way, ...] = ("blend", *judged.spaces.slices())
    answers = {way: _empty(count) for way in ways}
    step = max(1, _AT_ONCE // max(1, len(judged.photos)))
    for start in range(0, count, step):
        block = slice(start, min(start + step, count))
        for way, similarities in compared(vectors, judged.spaces, questions.asked[block]):
            _mark(judged.photos, questions, block, similarities, answers[way])
        tell(block.stop, count)
    return answers


def compared(vectors: Floats, spaces: Spaces, asked: Ints) -> Iterator[tuple[Way, Floats]]:
    """The similarities of these photos to all, each to itself lowest of all; the caller may keep them."""
    weights = {name: DEFAULT_BLEND[name] for name in spaces.slices()}
    total = sum(weights.values())
    blend = np.zeros((len(asked), len(vectors)), np.float32)
    for name, part in spaces.slices().items():
        found = vectors[asked, part] @ vectors[:, part].T
        blend += found * np.float32(weights[name] / total)
        yield name, _without_self(found, asked)
    yield "blend", _without_self(blend, asked)


def _without_self(similarities: Floats, asked: Ints) -> Floats:
    similarities[np.arange(len(asked)), asked] = -np.inf
    return similarities


def by_product(photos: Photos, similarities: Floats) -> Floats:
    """The best photo of each product; `similarities` are overwritten."""
    best = similarities[:, : len(photos.products)]
    for start, count in photos.ranges():
        if start:
            found = similarities[:, start : start + count]
            np.maximum(best[:, :count], found, out=best[:, :count])
    return best


def nearest(similarities: Floats, k: int = K) -> Ints:
    """The columns of the k highest numbers of each row, falling; of as many as there are."""
    count = similarities.shape[1]
    starts = np.arange(0, count, _STRIDE)
    if len(starts) > k:
        # the k highest numbers lie in the k stretches with the highest tops
        tops = np.maximum.reduceat(similarities, starts, axis=1)
        stretches = np.sort(np.argpartition(-tops, k - 1, axis=1)[:, :k], axis=1)
        columns = (stretches[:, :, None] * _STRIDE + np.arange(_STRIDE)).reshape(len(tops), -1)
        beyond = columns >= count
        columns[beyond] = 0
        held = np.take_along_axis(similarities, columns, axis=1)
        held[beyond] = -np.inf
    else:
        columns = np.broadcast_to(np.arange(count), similarities.shape)
        held = similarities
    order = np.argsort(-held, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(columns, order, axis=1)


def _empty(count: int) -> Answers:
    return Answers(np.zeros(count, np.int64), np.zeros(count), np.zeros(count, np.bool_))


def _mark(
    photos: Photos, questions: Questions, block: slice, similarities: Floats, answers: Answers
) -> None:
    asked = questions.asked[block]
    rows = np.arange(len(asked))
    for row in rows:
        twins = questions.twins.get(int(asked[row]))
        if twins is not None:
            answers.twin[block.start + row] = _is_first(similarities[row], twins)
    products = by_product(photos, similarities)
    mine = photos.product_of[asked]
    own = products[rows, mine]
    answers.rank[block] = np.count_nonzero(products >= own[:, None], axis=1)
    products[rows, mine] = -np.inf
    category = photos.category_of[mine]
    others = photos.sizes[category] - 1 if len(photos.sizes) else np.zeros(len(rows), np.int64)
    near = nearest(products)
    right = (photos.category_of[near] == category[:, None]) & (near != mine[:, None])
    answers.precision[block] = right.sum(axis=1) / np.clip(others, 1, K)


def _is_first(similarities: Floats, twins: Ints) -> bool:
    best = similarities[twins].max()
    return int(np.count_nonzero(similarities >= best)) == int(
        np.count_nonzero(similarities[twins] == best)
    )
