"""RankNet and MildNet are built as they were described."""

from pathlib import Path

import pytest

from services.embedder.model import verify
from tests.training.triplet.teaching import ask

VGG19, VGG16 = 20_024_384, 14_714_688


@pytest.fixture(scope="module")
def built() -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in ask("shapes")}


def test_ranknet_has_three_streams(built: dict[str, dict[str, object]]) -> None:
    made = built["ranknet"]
    convolution = 8 * 8 * 3 * 96 + 96
    dense = (512 + 1) * 4096 + (4096 + 1) * 4096
    joined = (4096 + 2 * 4 * 4 * 96 + 1) * 4096
    assert made["learnt"] == 2 * convolution + dense + joined + 4096 * 256
    assert made["count"] == VGG19 + 2 * convolution + dense + joined + 4096 * 256
    assert made["count"] == 69_356_800
    assert made["frozen"] == 512 + 56 * 56 * 3 + 28 * 28 * 3
    shapes = made["shapes"]
    assert isinstance(shapes, list)
    second = [[56, 56, 3], [64, 64, 3], [15, 15, 96], [19, 19, 96], [4, 4, 96]]
    third = [[28, 28, 3], [36, 36, 3], [8, 8, 96], [10, 10, 96], [4, 4, 96]]
    assert all(shape in shapes for shape in second + third)
    assert [3072] in shapes
    assert [3072 + 4096] in shapes
    assert made["projection"] == 4096 * 256
    assert (made["dim"], made["length"]) == (256, pytest.approx(1, abs=1e-5))


def test_mildnet_listens_to_all_blocks_of_one_network(
    built: dict[str, dict[str, object]],
) -> None:
    made = built["mildnet"]
    assert made["frozen"] == 64 + 128 + 256 + 512 + 512
    dense = (1472 + 1) * 512 + (512 + 1) * 512
    assert made["count"] == VGG16 + dense + 512 * 256
    assert made["count"] == 15_862_592
    assert made["projection"] == 512 * 256
    assert (made["dim"], made["length"]) == (256, pytest.approx(1, abs=1e-5))


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["ranknet", "mildnet"])
def test_a_network_of_full_size_takes_steps_and_becomes_a_model(name: str, tmp_path: Path) -> None:
    said = ask("few_steps", name, tmp_path / "scratch", tmp_path / "ours", timeout=1_000)
    assert said["moved"] > 1e-6
    assert said["lengths"] == pytest.approx([1] * 8, abs=1e-4)
    assert said["dims"]["content"] == 256
    assert verify(tmp_path / "ours").spaces.dim > 256
