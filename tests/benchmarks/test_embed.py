import stat
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.contestants import OURS, Feeds, Row, elsewhere, ours, raw, replaced, through
from benchmarks.embed import TIMES, claims, photos_and_weights
from benchmarks.feeds import write_feed
from benchmarks.runtimes import Absent, SourceWay, installed, same_vectors
from benchmarks.worth import nearness, quality, remark
from lookalike.command.pace import medians
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import BUNDLED, DEFAULT
from services.embedder.preprocess import Pixels
from services.embedder.registry import bundled
from shared.vectors import Floats
from tests.model_folders import turned

MODEL = BUNDLED / DEFAULT
MICROS = {"decode": 1.0, "decode_opencv": 1.0, "child": 1.0, "in_process": 1.0}


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    write_feed(tmp_path / "feed.bson", 4)
    return tmp_path / "feed.bson"


def row(name: str, times: float | None, runtime: str = OURS) -> dict[str, Any]:
    return {"name": name, "runtime": runtime, "times_the_replaced": times}


def test_contestants_take_turns_and_each_has_its_median() -> None:
    went: list[str] = []
    seconds = {"one": [3.0, 1.0, 2.0], "other": [5.0, 9.0, 7.0]}

    def go(name: str, number: int) -> float:
        went.append(name)
        return seconds[name][number]

    found = medians({name: partial(go, name) for name in seconds}, 3)
    assert went == ["one", "other"] * 3
    assert found == {"one": 2.0, "other": 7.0}


def test_every_bundled_model_has_a_row_and_goes_its_round(feed: Path) -> None:
    rows = list(ours(bundled(), feed, None))
    assert len(rows) == len(bundled())
    for one in rows:
        assert one.round is not None
        assert one.round(0) > 0


def test_a_pace_is_told_in_pictures_and_against_the_way_that_is_replaced() -> None:
    told = Row("small", OURS, quality={"same kind": 0.66666}).told(0.002, 0.08)
    assert (told["pictures_per_second"], told["times_the_replaced"]) == (500.0, 40.0)
    assert told["quality"] == {"same kind": 0.667}
    assert Row("small", OURS).told(0.002, None)["times_the_replaced"] is None
    assert Row("small", OURS, note="why not").told(None, 0.08)["pictures_per_second"] is None


@pytest.mark.parametrize("name", TIMES)
def test_a_model_is_claimed_to_be_quick_by_its_name(name: str) -> None:
    (quick, *_) = claims(MICROS, [row(name, TIMES[name])])
    (slow, *_) = claims(MICROS, [row(name, TIMES[name] - 0.01)])
    assert quick.held
    assert not slow.held
    assert name in quick.name


def test_nothing_is_claimed_of_what_did_not_run_as_ours_or_beside_the_replaced() -> None:
    nothing = [row("small", None), row("small", 90, "OpenVINO"), row("stranger", 90)]
    assert claims(MICROS, nothing) == claims(MICROS, [])


def test_what_is_not_installed_is_told_with_what_installs_it() -> None:
    with pytest.raises(Absent, match="no_such_runtime not installed: make bench installs it"):
        installed("json", "no_such_runtime")


def test_a_quick_run_says_what_it_leaves_out(feed: Path, tmp_path: Path) -> None:
    source, process = replaced(None, Feeds(feed, feed, 4), quick=True)
    (onnx,) = (
        one
        for one in elsewhere([MODEL], feed, tmp_path, quick=True)
        if one.runtime == "ONNX Runtime"
    )
    assert process is None
    for one in (source, onnx):
        assert one.round is None
        assert "quick run" in one.note


def test_another_runtime_gives_the_same_vectors_or_says_what_installs_it(
    feed: Path, tmp_path: Path
) -> None:
    rows = elsewhere([MODEL], feed, tmp_path, quick=True)
    (openvino,) = (one for one in rows if one.runtime == "OpenVINO")
    if find_spec("openvino"):
        assert openvino.round is not None
        assert openvino.round(0) > 0
    else:
        assert openvino.note == "openvino not installed: make bench installs it"


def test_a_runtime_that_gives_other_vectors_is_no_contestant() -> None:
    framed = np.zeros((1, 1, 3), np.uint8)

    def one(framed: Pixels) -> Floats:
        return np.array([1, 0], np.float32) + framed.size

    def other(framed: Pixels) -> Floats:
        return np.array([1, 3], np.float32) + framed.size

    def broken(framed: Pixels) -> Floats:
        return np.array([np.nan, framed.size], np.float32)

    same_vectors(one, one, framed)
    for wrong in (other, broken):
        with pytest.raises(Absent, match="another vector"):
            same_vectors(one, wrong, framed)


def test_a_variant_is_told_by_how_near_it_is_to_its_model_in_each_space(tmp_path: Path) -> None:
    variant = turned(tmp_path / "variant", name=DEFAULT, variant="int8")
    near = nearness(variant, MODEL, None)
    assert near["style"] == pytest.approx(1, abs=1e-5)
    assert near["content"] < 0.9
    said = remark(variant, [variant, MODEL], None)
    assert f"content {near['content']:.3f}, style 1.000" in said
    assert "drawings" in said
    assert remark(MODEL, [variant, MODEL], None) == ""


def test_a_models_quality_is_what_its_manifest_tells(tmp_path: Path) -> None:
    told = turned(tmp_path / "told", quality={"precision": 0.7})
    assert quality(told, None) == {"precision": 0.7}
    raw = turned(tmp_path / "raw", training={"weights": "random"}, quality={})
    assert quality(raw, tmp_path) == {}


def test_a_round_with_a_picture_that_cannot_be_read_tells_nothing(feed: Path) -> None:
    broken = feed.read_bytes().replace(b"\xff\xd8", b"\x00\x00", 1)
    with pytest.raises(ValueError, match="not embedded"):
        through(InProcessEmbedder(MODEL), broken)


def _python(folder: Path, body: str) -> str:
    """A program in place of a Python that has TensorFlow."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_the_replaced_way_is_asked_for_rounds_and_ends_with_its_context(tmp_path: Path) -> None:
    body = "print('ready', flush=True)\nfor n in sys.stdin: print(9, float(n) / 4, flush=True)"
    with SourceWay(_python(tmp_path, body), tmp_path / "feed.bson", 6) as way:
        assert [way(0), way(1)] == [1.5, 1.5]


def test_a_replaced_way_that_ends_by_itself_is_absent(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="ended by itself"):
        SourceWay(_python(tmp_path, "sys.exit(3)"), tmp_path / "feed.bson", 6)


@pytest.mark.long
def test_networks_of_others_are_made_as_models_and_said_to_be_random(
    feed: Path, tmp_path: Path
) -> None:
    rows = list(raw(feed, tmp_path, None, quick=False))
    assert {one.name for one in rows} == {"mobilenetv2-1.0-raw", "resnet50-raw"}
    for one in rows:
        assert "random weights" in one.note
        assert one.round is not None
        assert one.round(0) > 0


@pytest.mark.long
def test_a_model_that_was_converted_gives_the_same_vectors(feed: Path, tmp_path: Path) -> None:
    rows = elsewhere([MODEL], feed, tmp_path, quick=False)
    (onnx,) = (one for one in rows if one.runtime == "ONNX Runtime")
    if find_spec("onnxruntime") and find_spec("tf2onnx"):
        assert onnx.round is not None
        assert onnx.round(0) > 0
    else:
        assert "make bench installs it" in onnx.note


def test_photos_are_used_only_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOOKALIKE_DATA", raising=False)
    assert photos_and_weights() is None
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    assert photos_and_weights() is None
    (tmp_path / "clothing" / "validation").mkdir(parents=True)
    assert photos_and_weights() == tmp_path
