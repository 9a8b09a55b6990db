"""What is worth another try, and what would only meet the same again."""

import errno
from pathlib import Path

import pytest

from services.embedder.training.folders import whole
from services.embedder.training.jobs.child import outcome
from services.embedder.training.jobs.kinds import on_a_network
from shared.errors import Invalid, LookalikeError, Unavailable
from shared.trainings import ClassifierRequest, TripletRequest


def _written(out: Path, error: OSError) -> LookalikeError:
    """As a model's folder tells it."""
    with pytest.raises(Unavailable) as told, whole(out):
        raise error
    return told.value


def test_a_full_disk_is_no_reason_to_try_again(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    for error in (full, _written(tmp_path / "model", full)):
        told = outcome(error, tmp_path / "trn_1")
        assert told["ended"] == "failed"
        assert f"The disk of {tmp_path} is full" in told["detail"]


def test_what_may_pass_is_tried_again_and_what_is_wrong_is_not(tmp_path: Path) -> None:
    torn = _written(tmp_path / "model", OSError(errno.EIO, "Input/output error"))
    ended = [outcome(error, tmp_path)["ended"] for error in (torn, Invalid("no"), ValueError("?"))]
    assert ended == ["again", "failed", "again"]


def test_what_names_no_backbone_is_learnt_on_the_installations_model() -> None:
    assert on_a_network(ClassifierRequest(name="x", backbone=""), "ours@2").backbone == "ours@2"
    named = TripletRequest(name="x", backbone="resnet50")
    assert on_a_network(named, "ours@2") == named
