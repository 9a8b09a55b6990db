"""Backbones, and the way of a network into a model's folder; asked in one process with TensorFlow."""

from importlib.util import find_spec
from typing import Any

import pytest

from tests.training.lessons import ask

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is absent"),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ask("networks", tmp_path_factory.mktemp("networks"))


def test_what_a_family_wants_of_its_input_is_part_of_the_network(answers: dict[str, Any]) -> None:
    assert answers["prepared"] == dict.fromkeys(answers["prepared"], pytest.approx(0, abs=1e-4))
    assert len(answers["prepared"]) == 5


def test_features_are_pooled(answers: dict[str, Any]) -> None:
    assert answers["widths"] == {
        "mobilenetv2-0.35": 1280,
        "efficientnet-b0": 1280,
        "resnet50": 2048,
        "VGG16": 512,
        "MobileNetV3Small": 576,
    }


def test_layers_are_unfrozen_block_by_block_and_never_batch_norm(answers: dict[str, Any]) -> None:
    assert answers["closed"] == 0
    assert answers["batch_norms"] == []
    assert {name.partition("_")[0] for name in answers["groups"]["resnet50"]} == {"conv5"}
    assert len(answers["groups"]["resnet50"]) == 3
    assert len(answers["groups"]["VGG16"]) == 3
    assert [path.partition("/")[0] for path in answers["opened"]] == [
        "Conv_1",
        "block_16_project",
        "block_16_depthwise",
        "block_16_expand",
    ]


def test_weights_come_back_as_they_were(answers: dict[str, Any]) -> None:
    assert answers["loaded"] == 0
    assert answers["told"].startswith("small.weights.h5 (")


def test_weights_have_to_be_named(answers: dict[str, Any]) -> None:
    assert "mobilenetv2-1.0 comes without weights" in answers["no_weights"]
    assert "MobileNetV2(alpha=1.0, include_top=False)" in answers["no_weights"]
    assert "--weights none" in answers["no_weights"]


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ("other_width", ("small.weights.h5", "mobilenetv2-1.0", "alpha=1.0")),
        ("other_family", ("small.weights.h5", "MobileNetV3Small")),
        ("text", ("text.weights.h5", "resnet50")),
        ("torn", ("torn.keras", "resnet50")),
    ],
)
def test_weights_that_do_not_fit_are_told_with_the_backbone(
    answers: dict[str, Any], which: str, names: tuple[str, ...]
) -> None:
    assert "does not hold the weights of" in answers[which]
    assert [name for name in names if name not in answers[which]] == []


def test_weights_of_another_width_are_told_by_what_does_not_fit(answers: dict[str, Any]) -> None:
    assert "value.shape=" in answers["other_width"]
    assert "\n" not in answers["other_width"]
    assert "List of objects" not in answers["other_width"]


def test_who_names_neither_model_nor_backbone_is_told_both(answers: dict[str, Any]) -> None:
    assert "There is no model 'mobilnet' here; there are: base, small." in answers["neither"]
    assert "Nor is it a backbone: ranknet, mobilenetv2-1.0, " in answers["neither"]


def test_weights_that_are_not_there_and_backbones_that_nobody_knows_are_told(
    answers: dict[str, Any],
) -> None:
    assert "gone.weights.h5 is no file" in answers["no_file"]
    assert "There is no backbone 'resnet51'; there are: mobilenetv2-1.0" in answers["unknown"]


def test_a_network_becomes_a_model_with_all_spaces(answers: dict[str, Any]) -> None:
    assert answers["exported"]
    assert answers["manifest"] == ["plain", "3", {"nearest_after": 0.5}]
    assert list(answers["dims"]) == ["content", "style", "colour"]
    assert answers["dims"]["content"] == 8


def test_a_network_that_gives_no_numbers_is_not_written(answers: dict[str, Any]) -> None:
    assert "did not survive their way into LiteRT" in answers["no_numbers"]
    assert answers["left"] == [
        "plain",
        "small.weights.h5",
        "text.weights.h5",
        "torn.keras",
    ]


def test_a_loss_that_is_no_number_is_told_with_step_and_rate(answers: dict[str, Any]) -> None:
    assert answers["learns"] == ""
    assert "no number any more at step 1, learning rate " in answers["diverged"]
