"""How the bundled models are taught; asked in one process with TensorFlow."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from services.embedder.training.bundled.recipes import RECIPES
from tests.training.processes import answered

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is absent"),
]


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    found: dict[str, Any] = answered("tests.training.bundled.recipes", "answers")
    return found


def test_teaching_brings_the_loss_down(answers: dict[str, Any]) -> None:
    first, last = answers["loss"]
    assert last < 0.8 * first
    _, taught = answers["moved"]
    assert taught > 0


def test_what_is_taught_leaves_the_network_as_it_came(answers: dict[str, Any]) -> None:
    came, _ = answers["moved"]
    assert came == 0


def test_content_is_what_both_see_each_of_its_share(answers: dict[str, Any]) -> None:
    assert answers["numbers"] == 24 + 40
    for came, learnt in answers["squares"]:
        assert came == pytest.approx(0.64, abs=1e-3)
        assert learnt == pytest.approx(0.36, abs=1e-3)


def test_two_views_of_a_photo_belong_together(answers: dict[str, Any]) -> None:
    together, apart = answers["by_photo"]
    assert together < 0.01 < apart


def test_neighbours_that_the_teacher_has_cost_nothing(answers: dict[str, Any]) -> None:
    same, other = answers["as_near"]
    assert same == pytest.approx(0, abs=1e-4)
    assert other > 1


def test_what_was_taught_is_taken_up_by_the_same_lesson_alone() -> None:
    small = RECIPES["small"]
    assert replace(small, share=0.9).lesson == small.lesson
    others = {replace(small, steps=9), replace(small, frozen="block_9_add"), RECIPES["base"]}
    assert small.lesson not in {other.lesson for other in others}
