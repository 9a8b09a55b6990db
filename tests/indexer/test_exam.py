"""The exam's figures beside plain Python, and what of a catalogue is asked."""

import tracemalloc
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indexer.exam import answers
from services.indexer.exam.answers import by_product, nearest
from services.indexer.exam.exam import Exam, Side, examine
from services.indexer.exam.photos import Taken, arranged, judged
from shared.errors import Invalid
from shared.vectors import to_bytes
from tests.indexer.exam_papers import SPACES, Paper, Plainly, paper, shop

CATEGORIES = ("", "Lamps", "Chairs", "Chairs > Stools", "Rugs")
SHAPES = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(CATEGORIES)), min_size=2, max_size=16
)


def held(mine: Paper, **said: Any) -> Exam:
    return examine(Side("mine", mine.judged()), None, lambda *_: None, **said)


@settings(max_examples=25, deadline=None)
@given(shapes=SHAPES, seed=st.integers(0, 1_000))
def test_figures_are_those_of_plain_python(shapes: list[tuple[int, str]], seed: int) -> None:
    made = paper([n for n, _ in shapes], [c for _, c in shapes], seed=seed, spread=0.8)
    exam = held(made)
    for way, figures in exam.mine.figures.items():
        plainly = Plainly(exam.mine.judged, way)
        for name, figure in figures.items():
            assert figure.value == pytest.approx(plainly.figure(name)), (way, name)


@settings(max_examples=30, deadline=None)
@given(shapes=SHAPES)
def test_whatever_there_is_to_ask_is_asked_and_the_rest_is_told(
    shapes: list[tuple[int, str]],
) -> None:
    made = paper([n for n, _ in shapes], [c for _, c in shapes])
    exam = held(made)
    named = [category for _, category in shapes if category]
    several = sum(named.count(category) > 1 for category in set(named))
    wanted = {
        "same_product_first": any(count > 1 for count, _ in shapes),
        "same_product_in_10": any(count > 1 for count, _ in shapes),
        "category_precision_at_10": several > 0,
        "tail_precision_at_10": several > 1,
        "duplicates_first": False,
    }
    assert {name: name in exam.mine.figures["blend"] for name in wanted} == wanted
    del wanted["same_product_in_10"]
    assert len(exam.notes) == list(wanted.values()).count(False)


@settings(max_examples=20, deadline=None)
@given(shapes=SHAPES, data=st.randoms(use_true_random=False))
def test_the_order_in_which_products_come_changes_nothing(
    shapes: list[tuple[int, str]], data: Any
) -> None:
    made = paper([n for n, _ in shapes], [c for _, c in shapes])
    products = [
        [one for one in made.taken if one.product == f"product-{n}"] for n in range(len(shapes))
    ]
    data.shuffle(products)
    again = Paper(tuple(chain(*products)), made.vectors)
    assert held(again, most=5).told() == held(made, most=5).told()


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 4),
    columns=st.integers(1, 900),
    k=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_nearest_is_what_sorting_finds(rows: int, columns: int, k: int, seed: int) -> None:
    made = np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)
    wanted = np.argsort(-made, axis=1, kind="stable")[:, :k]
    assert np.array_equal(nearest(made, k), wanted)


def test_a_products_similarity_is_that_of_its_best_photo() -> None:
    photos = shop(20).judged().photos
    similarities = np.random.default_rng(1).standard_normal((3, len(photos))).astype(np.float32)
    wanted = [
        [row[photos.product_of == product].max() for product in range(len(photos.products))]
        for row in similarities.copy()
    ]
    assert np.array_equal(by_product(photos, similarities), np.array(wanted))


def test_a_model_that_finds_everything_alike_finds_nothing() -> None:
    made = shop(40)
    same = {name: np.ones(SPACES.dim, np.float32) for name in made.vectors}
    figures = held(Paper(made.taken, same)).mine.figures["blend"]
    assert figures["same_product_first"].value == 0
    assert figures["same_product_in_10"].value == 0


HASHES = {"photo-3-0": "ff00ff00ff00ff00", "photo-9-1": "ff00ff00ff00ff3f"}
PLAIN = {f"photo-{number}-0": "0000000000000001" for number in range(20, 30)}


def saved_anew(before: Paper, hashes: dict[str, str]) -> Paper:
    """The two photos of `HASHES` are one; the plain ones are alike too, but crowded."""
    taken = [
        Taken(*(one.name, one.product, one.category), phash=hashes.get(one.name))
        for one in before.taken
    ]
    same = {"photo-9-1": before.vectors["photo-3-0"]} | dict.fromkeys(
        PLAIN, before.vectors["photo-20-0"]
    )
    return Paper(tuple(taken), before.vectors | same)


def test_a_photo_saved_anew_asks_for_its_twin_and_a_plain_one_does_not() -> None:
    exam = held(saved_anew(shop(40), HASHES | PLAIN))
    names = exam.photos.names
    twins = {
        names[photo]: [names[t] for t in found] for photo, found in exam.questions.twins.items()
    }
    assert twins == {"photo-3-0": ["photo-9-1"], "photo-9-1": ["photo-3-0"]}
    assert exam.mine.figures["blend"]["duplicates_first"].value == 1


def test_a_twin_that_one_model_sees_is_asked_of_both() -> None:
    seen = saved_anew(shop(40), HASHES)
    unseen = Paper(seen.taken, seen.vectors | {"photo-9-1": -seen.vectors["photo-3-0"]})
    exam = examine(Side("mine", unseen.judged()), Side("other", seen.judged()), lambda *_: None)
    assert exam.other is not None
    assert exam.mine.figures["blend"]["duplicates_first"].value == 0
    assert exam.other.figures["blend"]["duplicates_first"].value == 1


@pytest.mark.parametrize(
    ("phash", "same"),
    [("ff00ff00ff00ff7f", True), ("ff00ff00ff00ff3f", False)],
    ids=["seven bits apart", "another picture to all models"],
)
def test_what_is_no_twin_is_not_asked_for(phash: str, same: bool) -> None:  # noqa: FBT001
    made = shop(40)
    anew = saved_anew(made, HASHES | {"photo-9-1": phash})
    exam = held(anew if same else Paper(anew.taken, made.vectors))
    assert exam.questions.twins == {}


def test_a_photo_that_two_products_show_is_the_first_ones() -> None:
    photos = arranged([Taken("shared", "a"), Taken("own", "b"), Taken("shared", "b")])
    assert photos.names == ("shared", "own")
    assert [photos.products[number] for number in photos.product_of] == ["a", "b"]


def test_more_than_enough_is_drawn_by_lot_and_always_the_same() -> None:
    made = shop(80)
    asked = [held(made, most=15).questions for _ in range(2)]
    assert np.array_equal(asked[0].asked, asked[1].asked)
    assert int(asked[0].siblings.sum()) >= 15
    assert int(asked[0].alike.sum()) >= 15
    assert len(asked[0].asked) <= 45


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = shop(50)
    whole = held(made).told()
    monkeypatch.setattr(answers, "_AT_ONCE", 300)
    assert held(made).told() == whole


def test_memory_is_that_of_vectors_and_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_AT_ONCE", 1 << 16)
    made = paper([2] * 3_000, ["A", "B", "C"] * 1_000).judged()
    tracemalloc.start()
    try:
        examine(Side("mine", made), None, lambda *_: None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * 2**20  # all similarities at once would be 6,000² float32, 144 MB a space


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[str, int, int]] = []
    exam = examine(Side("mine", shop(30).judged()), None, lambda *what: told.append(what))
    count = len(exam.questions.asked)
    assert told[-1] == ("asking mine", count, count)


def test_vectors_of_another_length_are_refused() -> None:
    photos = arranged([Taken("one", "a")])
    with pytest.raises(Invalid, match="of another model"):
        judged(photos, SPACES, {"one": bytes(8)})


def test_vectors_that_are_no_numbers_are_refused() -> None:
    photos = arranged([Taken("one", "a")])
    with pytest.raises(Invalid, match="not finite"):
        judged(photos, SPACES, {"one": to_bytes(np.full(SPACES.dim, np.nan, np.float32))})


def test_an_empty_catalogue_asks_nothing() -> None:
    exam = held(Paper((), {}))
    assert not exam.questions
    assert exam.verdict.passed is None
    assert len(exam.notes) == 4
