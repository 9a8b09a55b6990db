"""A worse model is told from a better one, and one from itself is not."""

from dataclasses import replace

import numpy as np
import pytest

from services.indexer.exam.exam import Exam, Side, examine
from services.indexer.exam.figures import Figure, Figures, difference
from services.indexer.exam.pace import Pace
from services.indexer.exam.verdict import FEW, verdict
from tests.indexer.exam_papers import Paper, noisy, paper, shop

PACE = Pace(1.0, 3.0, 1.0, accelerated=False, rows=9, products=9, size_bytes=9, bytes_per_product=1)


def held(mine: Paper, other: Paper) -> Exam:
    sides = Side("mine", mine.judged()), Side("other", other.judged())
    return examine(*sides, lambda *_: None)


def figures(values: list[float]) -> Figures:
    return {"blend": {"same_product_first": Figure(np.array(values), len(values))}}


def test_a_model_passes_against_itself() -> None:
    made = shop(80)
    exam = held(made, made)
    assert exam.verdict.passed is True
    assert exam.verdict.reasons == ()
    apart = exam.told()["difference"]["blend"]
    assert {one["value"] for one in apart.values()} == {0.0}


def test_noise_fails_and_its_absence_passes() -> None:
    good = shop(80)
    bad = noisy(good, 0.5)
    failed = held(bad, good).verdict
    assert failed.passed is False
    assert any("same_product_first" in reason for reason in failed.reasons)
    assert all(reason.startswith("It is ") and reason.endswith(".") for reason in failed.reasons)
    assert held(good, bad).verdict.passed is True


def test_a_model_of_other_spaces_is_compared_where_both_have_one() -> None:
    exam = held(shop(60), shop(60))
    alone = replace(exam.mine, figures={"blend": exam.mine.figures["blend"]})
    assert set(replace(exam, other=alone).told()["difference"]) == {"blend"}


def test_what_chance_explains_does_not_fail() -> None:
    other = [1.0, 0.0] * 10
    assert verdict(figures([0.0, *other[1:]]), figures(other)).passed is True
    assert verdict(figures([0.0] * 20), figures(other)).passed is False


def test_a_hundredth_does_not_fail_however_sure_it_is() -> None:
    other = [0.5] * 1_000
    assert verdict(figures([0.491] * 1_000), figures(other)).passed is True
    assert verdict(figures([0.489] * 1_000), figures(other)).passed is False


def test_a_figure_over_few_judges_nobody() -> None:
    few = verdict(figures([0.0] * (FEW - 1)), figures([1.0] * (FEW - 1)))
    assert few.passed is None
    assert verdict(figures([0.0] * FEW), figures([1.0] * FEW)).passed is False


def test_with_nothing_to_ask_there_is_no_verdict_and_a_sentence() -> None:
    made = paper([1] * 30, [""] * 30)
    exam = held(made, made)
    assert exam.verdict.passed is None
    (reason,) = exam.verdict.reasons
    assert reason.startswith("There is nothing to judge by")


def test_searches_may_take_twice_as_long_and_two_milliseconds() -> None:
    same = figures([1.0] * FEW)
    assert verdict(same, same, replace(PACE, p99_ms=7.9), PACE).passed is True
    slow = verdict(same, same, replace(PACE, p99_ms=8.1), PACE)
    assert slow.passed is False
    assert "8.1 ms" in slow.reasons[0]


def test_errors_are_those_of_the_pairs() -> None:
    rng = np.random.default_rng(3)
    shared = rng.random(400)
    apart = difference(Figure(shared + 0.01, 400), Figure(shared, 400))
    assert apart.value == pytest.approx(0.01)
    assert apart.error < 1e-9
    values = rng.random(400)
    assert Figure(values, 400).error == pytest.approx(values.std(ddof=1) / 20)
