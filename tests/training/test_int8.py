from pathlib import Path
from typing import Any

import pytest

from services.embedder.model import read_manifest, verify
from tests.training.processes import answered


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("eight-bits")


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    """A small network as a model, and as a variant of it in eight bits."""
    found: dict[str, Any] = answered("tests.training.eight_bits", "answers", folder)
    return found


def test_a_variant_is_a_folder_of_its_own_under_fingerprints_of_its_own(
    told: dict[str, Any], folder: Path
) -> None:
    model, variant = read_manifest(folder / "small"), verify(folder / "small-int8")
    assert (variant.name, variant.version, variant.variant) == ("small", "1", "int8")
    assert variant.training["parent"] == model.spaces.fingerprint
    assert variant.training["calibrated_on"] == 8
    assert not variant.quality
    for space, other in zip(model.spaces.spaces, variant.spaces.spaces, strict=True):
        assert (space.name, space.dim) == (other.name, other.dim)
        assert space.fingerprint != other.fingerprint


def test_convolutions_and_what_follows_them_count_in_eight_bits(told: dict[str, Any]) -> None:
    in_eight = told["kinds"]["int8"]
    for kind in ("CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"):
        assert kind in in_eight


def test_what_style_and_colour_are_computed_by_stays_as_it_is(told: dict[str, Any]) -> None:
    assert not {"DIV", "POW", "SQRT", "SUM", "BATCH_MATMUL"} & set(told["kinds"]["int8"])
    assert told["likeness"]["content"] > 0.95
    assert told["likeness"]["style"] > 0.9
    assert told["likeness"]["colour"] == pytest.approx(1, abs=1e-4)
