"""A classifier's training from photos to a model, stopped in the middle and gone on with."""

from importlib.util import find_spec
from typing import Any

import pytest

from tests.training.lessons import REQUEST, ask

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is absent"),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ask("training", tmp_path_factory.mktemp("training"))


def test_who_is_stopped_leaves_no_model(answers: dict[str, Any]) -> None:
    assert answers["stopped"]
    assert answers["left"] == ["ours.logs", "ours.scratch"]
    assert answers["stages"] == ["looking at held-out photos", "looking", "learning", "unfreezing"]


def test_the_same_call_goes_on_where_it_stopped(answers: dict[str, Any]) -> None:
    assert "learning" not in answers["again"]
    assert answers["first_step"] > 0
    assert answers["again"][-1] == "writing"


def test_who_was_stopped_ends_where_others_do(answers: dict[str, Any]) -> None:
    assert answers["difference"] < 1e-4


def test_unreadable_photos_are_listed(answers: dict[str, Any]) -> None:
    (sentence,) = answers["unreadable"]
    assert sentence.startswith("kind/0/bad.jpg: ")
    assert answers["photos"] == 18


def test_the_manifest_tells_what_taught_it_how_well_and_how_fast(answers: dict[str, Any]) -> None:
    told = answers["training"]
    assert told["kind"] == "classifier"
    assert (told["backbone"], told["weights"]) == ("mobilenetv2-0.35", "random")
    assert (told["side"], told["dim"], told["unfrozen"], told["seed"]) == (32, 24, 1, REQUEST.seed)
    assert told["photos"] + told["held_out"] == 18
    assert (told["categories"], told["unreadable"]) == (3, 1)
    assert {told["best_epoch"], told["best_epoch_unfrozen"]} <= set(range(4))
    assert set(told["by_category"]) == {"kind/0", "kind/1", "kind/2"}
    assert set(answers["quality"]) == {
        "nearest_before",
        "nearest_after",
        "precision_before",
        "precision_after",
    }
    assert answers["pace"]["pictures_per_second"] > 0
    assert "nearest photos of held-out products" in answers["sentence"]
    assert answers["provenance"].startswith("Content is a feature layer on mobilenetv2-0.35")
    assert answers["provenance"].endswith(answers["sentence"])


def test_no_photo_of_the_shop_is_in_the_model(answers: dict[str, Any]) -> None:
    golden = [f"golden/{number}.png" for number in range(4)]
    assert answers["in_the_model"] == sorted(
        ["model.json", "model.tflite", "golden/vectors.npy", *golden]
    )
    assert "what is taken for what" in answers["sheet"]


def test_tensorboard_can_read_the_figures_of_every_epoch(answers: dict[str, Any]) -> None:
    tags = {tag for _, tag, _ in answers["events"]}
    assert tags == {
        f"{stage}/{name}"
        for stage in ("learning", "unfreezing")
        for name in ("loss", "rate", "nearest", "precision")
    }
    steps = [step for step, tag, _ in answers["events"] if tag == "learning/loss"]
    assert steps == list(range(1, len(steps) + 1))


def test_what_is_for_backbones_is_no_option_of_a_model(answers: dict[str, Any]) -> None:
    assert "a model, whose network stays as it is" in answers["of_a_model"]


def test_a_folder_that_is_there_is_told_before_anything_is_done(answers: dict[str, Any]) -> None:
    assert "is there already" in answers["there"]
