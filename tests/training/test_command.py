"""What the trainings of the command share."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lookalike.command import training
from lookalike.command.app import app


def _stopped(out: Path, *, saved: bool) -> None:
    with training.scratch_of(out, None) as folder:
        if saved:
            folder.mkdir(exist_ok=True)
        raise KeyboardInterrupt


def test_who_is_stopped_is_told_where_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        _stopped(tmp_path / "ours", saved=False)
    assert capsys.readouterr().err == "", "nothing was saved"
    with pytest.raises(KeyboardInterrupt):
        _stopped(tmp_path / "ours", saved=True)
    left = tmp_path / "ours.scratch"
    told = f"Stopped. The same command goes on with what is in {left}.\n"
    assert capsys.readouterr().err == told
    with training.scratch_of(tmp_path / "ours", None):
        assert f"{left} is there: what the same training left" in capsys.readouterr().err
    assert not left.exists()


def test_what_libraries_say_of_themselves_while_they_are_loaded_is_not_shown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with training.tensorflow():
        os.write(2, b"oneDNN custom operations are on")
    os.write(2, b"ours")
    assert capfd.readouterr().err == "ours"


@pytest.mark.parametrize("kind", ["classifier", "triplet"])
@pytest.mark.parametrize(
    ("asked", "code", "why"),
    [
        (["--out", "."], 1, "is there already"),
        (["--out", "file/x"], 1, "Not a directory"),
        (["--out", "x", "--batch", "1"], 2, "greater than or equal to 2"),
        (["--out", "x", "--learning-rate", "5"], 2, "less than or equal to 1"),
    ],
)
def test_what_is_wrong_is_told_at_once_and_leaves_nothing(
    *,
    kind: str,
    asked: list[str],
    code: int,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["train", kind, "--images", "photos", *asked])
    assert ran.exit_code == code
    assert why in f"{ran.output} {ran.exception}"
    assert {one.name for one in tmp_path.iterdir()} == {"photos", "file"}
