"""The exam before and after: what is held out, what a gain is, and what may not be forgotten."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.embedder.training.pictures import lot
from services.embedder.training.triplet.forgetting import (
    LOTS,
    MOST_HELD,
    Exam,
    Verdict,
    average_precision,
    held_out_groups,
    held_out_triplets,
    judged,
    refuse_forgetting,
)
from services.embedder.training.triplet.mining import Bools, Ints
from shared.errors import Conflict, Invalid
from shared.vectors import Floats


def _lots(products: Ints) -> Ints:
    return np.array([lot(f"p{number}") for number in products])


def _random(count: int, seed: int) -> Floats:
    vectors = np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)
    units: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def _plain_precision(vectors: Floats, groups: Ints, asked: int) -> float:
    cosines = vectors @ vectors[asked]
    order = [n for n in np.argsort(-cosines, kind="stable") if n != asked]
    found, shares = 0, []
    for place, number in enumerate(order, start=1):
        if groups[number] == groups[asked]:
            found += 1
            shares.append(found / place)
    return float(np.mean(shares)) if shares else 0.0


@given(st.lists(st.integers(0, 4), min_size=2, max_size=40), st.integers(0, 1000))
def test_precision_is_what_a_loop_would_find(groups: list[int], seed: int) -> None:
    vectors, of = _random(len(groups), seed), np.array(groups)
    plain = [_plain_precision(vectors, of, asked) for asked in range(len(of))]
    np.testing.assert_allclose(average_precision(vectors, of), plain, atol=1e-9)


def test_whole_products_are_held_out_of_the_new_and_of_the_old() -> None:
    products = np.repeat(np.arange(200), 3)
    fresh = products >= 100
    lessons, exam = held_out_groups(_lots(products), products, products, products // 10, fresh)
    taught = set(products[lessons.numbers].tolist())
    asked = len(exam.fresh)
    assert len(taught) + asked == 200
    assert 35 <= asked <= 65
    assert 10 < exam.fresh.sum() < asked - 10
    held = np.setdiff1d(np.arange(200), list(taught))
    assert (exam.fresh == (held >= 100)).all()
    better = np.eye(200, dtype=np.float32)[products]
    assert (exam.scores(better) == 1).all()
    assert exam.scores(_random(600, 1)).mean() < 0.3


def test_who_is_held_out_once_is_held_out_when_it_is_old() -> None:
    """An exam that asks about products which the parent was taught would be too hard to pass."""
    first = np.repeat(np.arange(300), 2)
    all_of_it = np.repeat(np.arange(600), 2)
    before, _ = held_out_groups(_lots(first), first, first, first * 0, np.ones(len(first), bool))
    after, _ = held_out_groups(
        _lots(all_of_it), all_of_it, all_of_it, all_of_it * 0, all_of_it >= 300
    )
    taught_before = set(first[before.numbers].tolist())
    taught_after = {one for one in all_of_it[after.numbers].tolist() if one < 300}
    assert taught_after == taught_before


def test_very_many_products_are_not_all_asked_about() -> None:
    products = np.arange(20_000).repeat(2)
    lots = products * (LOTS // 20_000)
    _, exam = held_out_groups(lots, products, products, products * 0, products >= 0)
    assert len(exam.fresh) == MOST_HELD


@pytest.mark.parametrize("photos", [1, 2])
def test_too_few_new_products_are_an_error(photos: int) -> None:
    products = np.arange(40).repeat(photos)
    fresh = products < (5 if photos == 2 else 40)
    with pytest.raises(Invalid, match="new products with photos to compare can be"):
        held_out_groups(_lots(products), products, products, products * 0, fresh)


def test_no_taught_triplet_names_a_query_that_is_asked_about() -> None:
    told = np.random.default_rng(2).permuted(np.tile(np.arange(120), (3_000, 1)), axis=1)[:, :3]
    lessons, exam = held_out_triplets(_lots(np.arange(120)), told, told[:, 0] >= 60)
    taught = {tuple(one) for one in lessons.triplets.tolist()}
    queries = {query for query, _, _ in taught}
    asked = [one for one in told.tolist() if one[0] not in queries]
    assert len(exam.fresh) == len(asked)
    assert exam.fresh.tolist() == [one[0] >= 60 for one in asked]
    assert 150 < exam.fresh.sum() < len(asked) - 150
    assert not {query for query, _, _ in asked} & {number for one in taught for number in one}
    assert len(lessons.fresh) == len(lessons.triplets) > 100


def test_triplets_are_judged_by_their_order() -> None:
    told = np.array([[3 * n, 3 * n + 1, 3 * n + 2] for n in range(40)])
    _, exam = held_out_triplets(_lots(np.arange(120)), told, np.ones(40, bool))
    near = np.zeros((120, 80), np.float32)
    near[np.arange(120), np.repeat(np.arange(40), 3)] = 1
    near[2::3] = 0
    assert (exam.scores(near) == 1).all()
    near[1::3], near[2::3] = near[2::3], near[1::3].copy()
    assert (exam.scores(near) == 0).all()
    assert (exam.scores(np.ones((120, 1), np.float32)) == 0.5).all()


def _verdict(before: list[float], after: list[float], fresh: Bools | None = None) -> Verdict:
    which = np.ones(len(before), bool) if fresh is None else fresh
    return Verdict(np.array(before), np.array(after), which)


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_no_gain(seed: int) -> None:
    scores = np.random.default_rng(seed + 100).random((2, 50))
    gain = scores[1] - scores[0]
    shifted = scores[1] - gain.mean() + 1.5 * gain.std() / np.sqrt(50)
    assert not _verdict(scores[0].tolist(), shifted.tolist()).gained
    assert _verdict(scores[0].tolist(), (scores[1] + 0.5).tolist()).gained


def test_the_same_is_no_gain_and_neither_are_no_numbers() -> None:
    assert not _verdict([0.5] * 9, [0.5] * 9).gained
    assert not _verdict([0.5] * 9, [float("nan")] * 9).gained


def test_what_is_old_counts_for_no_gain() -> None:
    fresh = np.arange(20) < 10
    verdict = _verdict([0.5] * 20, [0.5] * 10 + [0.9] * 10, fresh)
    assert not verdict.gained
    assert verdict.lost == pytest.approx(-0.4)


def test_forgetting_is_refused_with_the_figures() -> None:
    fresh = np.arange(20) < 10
    verdict = _verdict([0.5] * 20, [0.8] * 10 + [0.47] * 10, fresh)
    assert verdict.gained
    refuse_forgetting(verdict, 0.04)
    with pytest.raises(Conflict, match=r"falls by 0\.0300, and 0\.01 is allowed") as refused:
        refuse_forgetting(verdict, 0.01)
    assert "old_before 0.5000, old_after 0.4700" in refused.value.detail
    assert refused.value.kind == "forgotten"


def test_old_vectors_that_are_no_numbers_are_refused() -> None:
    fresh = np.arange(20) < 10
    with pytest.raises(Conflict):
        refuse_forgetting(_verdict([0.5] * 20, [0.8] * 10 + [float("nan")] * 10, fresh), 1.0)


def test_where_nothing_is_old_nothing_is_forgotten() -> None:
    exam = Exam(lambda vectors: vectors[:, 0].astype(np.float64), np.ones(4, bool))
    verdict = judged(exam, np.full((4, 1), 0.5, np.float32), np.full((4, 1), 0.25, np.float32))
    refuse_forgetting(verdict, 0.0)
    assert verdict.figures == {"new_before": 0.5, "new_after": 0.25}
