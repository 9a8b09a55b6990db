"""Ranking networks taught for real, each in a process of its own: tiny, and to the end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.embedder.heads import HEADS
from services.embedder.model import DEFAULT, folder_of, read_manifest, verify
from services.embedder.training.triplet.learning import CHECKPOINT
from tests.training.processes import environment
from tests.training.triplet.teaching import ask, pictures

_LOOKALIKE = [sys.executable, "-c", "from lookalike.command.app import main; main()"]


@pytest.fixture
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder by shape."""
    folder = tmp_path_factory.mktemp("shapes")
    for shape, view, data in pictures():
        (folder / str(shape)).mkdir(exist_ok=True)
        (folder / str(shape) / f"{view}.png").write_bytes(data)
    return folder


Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def command() -> Iterator[Command]:
    """`lookalike train triplet` with options; whatever is still at it in the end is killed."""
    with ExitStack() as stack:

        def run(*options: object) -> "subprocess.Popen[str]":
            child = subprocess.Popen(
                [*_LOOKALIKE, "train", "triplet", *map(str, options)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(),
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            return child

        yield run


def _triplets() -> Iterator[str]:
    """Shapes 0 and 1 belong together, 2 and 3, and so on, whatever they look like."""
    for shape in range(8):
        for view in range(12):
            for step in (2, 4):
                near, far = (view + step) % 12, (view + 3 * step) % 12
                yield f"{shape}/{view}.png,{shape ^ 1}/{near}.png,{(shape + step) % 8}/{far}.png"


def test_told_triplets_make_a_model_and_bad_rows_are_told(
    shapes: Path, tmp_path: Path, command: Command
) -> None:
    (shapes / "torn.png").write_bytes(b"no picture")
    bad = ["0/0.png,0/1.png", "0/0.png,0/1.png,lost.png", "torn.png,0/1.png,1/1.png"]
    file = tmp_path / "triplets.csv"
    file.write_text("\n".join(["query,positive,negative", *_triplets(), *bad]), encoding="utf-8")
    out = tmp_path / "ours"
    options = ("--images", shapes, "--steps", 200, "--learning-rate", 1e-3, "--json")
    child = command("--triplets", file, "--out", out, "--backbone", DEFAULT, *options)
    said, told = child.communicate(timeout=250)
    assert child.returncode == 3, told
    answer = json.loads(said)
    assert answer["new_after"] > answer["new_before"] + 0.1
    assert answer["left_out"] == 4
    for line in ("Line 194: 2 columns", "Line 195: there is no file 'lost.png'", "torn.png: "):
        assert line in told
    assert "Line 196: 'torn.png' is a picture that cannot be read" in told
    made, parent = verify(out), read_manifest(folder_of(DEFAULT))
    assert made.training["parent"] == parent.spaces.fingerprint
    assert made.training["triplets"] == 192
    assert made.quality["new_after"] == answer["new_after"]
    changed = [one.name for one in made.spaces.spaces if one not in parent.spaces.spaces]
    assert changed == ["content"]
    assert {path.name for path in tmp_path.iterdir()} == {"ours", "triplets.csv"}


def test_a_killed_training_goes_on_to_the_same_numbers(
    shapes: Path, tmp_path: Path, command: Command
) -> None:
    def run(name: str) -> "subprocess.Popen[str]":
        options = ("--images", shapes, "--backbone", DEFAULT, "--steps", 600, "--json")
        return command(*options, "--out", tmp_path / name, "--scratch", tmp_path / f"{name}.kept")

    def saved(name: str) -> dict[str, Any]:
        (checkpoint,) = (tmp_path / f"{name}.kept").glob(f"*/{CHECKPOINT}")
        with np.load(checkpoint, allow_pickle=False) as arrays:
            return dict(arrays)

    whole, killed = run("whole"), run("killed")
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob(f"killed.kept/*/{CHECKPOINT}")):
        assert killed.poll() is None, killed.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed").exists()
    assert 0 < saved("killed")["place"][0] < 600
    said = []
    for child in (whole, run("killed")):
        answer, told = child.communicate(timeout=250)
        assert child.returncode == 0, told
        said.append(json.loads(answer)["new_after"])
    assert said[0] == said[1]
    one, other = saved("whole"), saved("killed")
    assert one.keys() == other.keys()
    for name, numbers in one.items():
        np.testing.assert_array_equal(numbers, other[name], err_msg=name)
    assert one["place"].tolist()[0] == 600


def test_what_forgets_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    options = {"steps": 200, "learning_rate": 0.003, "forget": 0.02}
    asked = ("train", tmp_path / "ours", tmp_path / "scratch", "other")
    refused = ask(*asked, json.dumps(options))
    assert refused["refused"] == "forgotten"
    assert "0.02 is allowed (new_before 0." in refused["detail"]
    assert {path.name for path in tmp_path.iterdir()} == {"scratch"}
    begun = time.monotonic()
    allowed = ask(*asked, json.dumps({**options, "allow_forgetting": True}))
    assert allowed["old_after"] < allowed["old_before"] - 0.02
    assert allowed["written"] == (tmp_path / "ours").exists()
    assert time.monotonic() - begun < 100


def test_numbers_out_of_range_end_a_training_and_nothing_is_written(tmp_path: Path) -> None:
    options = json.dumps({"learning_rate": 1e38})
    said = ask("train", tmp_path / "ours", tmp_path / "scratch", "shapes", options)
    assert said["refused"] == "diverged"
    assert "choose a lower --learning-rate" in said["detail"]
    assert not (tmp_path / "ours").exists()


def test_a_network_is_gone_on_with_as_it_was(tmp_path: Path) -> None:
    """Of Keras: its own numbers lie beside the model, which they must fit."""
    small = {"weights": "none", "side": 32, "dim": 32, "steps": 600, "learning_rate": 3e-3}
    options = json.dumps({**small, "backbone": "VGG16"})
    made = ask("train", tmp_path / "ours", tmp_path / "first", "colours", options)
    assert made["written"], made
    manifest = verify(tmp_path / "ours")
    assert manifest.spaces.slices()["content"] == slice(0, 32)
    assert not (tmp_path / "ours" / HEADS).exists()
    more = json.dumps({"from_model": str(tmp_path / "ours"), "steps": 5, "learning_rate": 1e-6})
    again = ask("train", tmp_path / "more", tmp_path / "second", "colours", more)
    assert again["new_before"] == pytest.approx(made["new_after"], abs=0.01)
    assert not again["written"]
    trained = tmp_path / "ours" / "trained.npz"
    with np.load(trained, allow_pickle=False) as arrays:
        numbers = dict(arrays)
    last = str(max(map(int, numbers)) - 1)
    np.savez(trained, **{**numbers, last: -numbers[last][::-1]})
    refused = ask("train", tmp_path / "more", tmp_path / "third", "colours", more)
    assert refused["refused"] == "bad_model"
    assert not (tmp_path / "more").exists()


def test_photos_of_groceries_gain_or_it_is_said(tmp_path: Path, command: Command) -> None:
    if (data := os.environ.get("LOOKALIKE_DATA")) is None:
        pytest.skip("LOOKALIKE_DATA names no folder of photos")
    kinds = sorted((Path(data) / "grocery" / "train" / "Fruit").iterdir())[:8]
    for kind in kinds:
        (tmp_path / "photos" / kind.name).mkdir(parents=True)
        for photo in sorted(kind.rglob("*.jpg"))[:15]:
            (tmp_path / "photos" / kind.name / photo.name).symlink_to(photo)
    out = tmp_path / "ours"
    options = ("--out", out, "--steps", 300, "--learning-rate", 1e-3, "--json")
    child = command("--images", tmp_path / "photos", "--backbone", DEFAULT, *options)
    said, told = child.communicate(timeout=280)
    assert child.returncode == 0, told
    answer = json.loads(said)
    assert answer["photos"] == 120
    assert (answer["model"] == "ours") == out.exists()
    assert (answer["new_after"] > answer["new_before"]) or answer["model"] is None
