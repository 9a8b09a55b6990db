"""What a training saved on one machine is gone on with on another."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.embedder.training.jobs import scratch
from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.jobs import Job
from shared.trainings import AdaptRequest, posted

JOB = posted("trn_1", "shop", AdaptRequest(name="ours"), 0)


@pytest.fixture
def blobs(tmp_path: Path) -> FsspecBlobs:
    return FsspecBlobs((tmp_path / "blobs").as_uri(), tmp_path / "cache")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The scratch folder of a machine that has saved something."""
    folder = tmp_path / "here" / "scratch"
    (folder / "logs").mkdir(parents=True)
    (folder / "network.npz").write_bytes(b"one")
    (folder / "logs" / "events").write_bytes(b"text")
    return folder


def kept(key: str | None) -> Job:
    assert key is not None
    return replace(JOB, progress={**JOB.progress, "checkpoint": key})


def test_another_machine_has_what_was_kept(blobs: FsspecBlobs, here: Path, tmp_path: Path) -> None:
    job = kept(scratch.keep(blobs, "shop", "trn_1", here))
    there = tmp_path / "there" / "scratch"
    there.mkdir(parents=True)
    (there / "network.npz").write_bytes(b"older")
    (there / "stray").write_bytes(b"older")
    scratch.restore(blobs, job, there)
    assert (there / "network.npz").read_bytes() == b"one"
    assert (there / "logs" / "events").read_bytes() == b"text"
    assert not (there / "stray").exists()


def test_where_it_was_kept_what_came_after_stays(blobs: FsspecBlobs, here: Path) -> None:
    job = kept(scratch.keep(blobs, "shop", "trn_1", here))
    (here / "network.npz").write_bytes(b"two")
    scratch.restore(blobs, job, here)
    assert (here / "network.npz").read_bytes() == b"two"


def test_a_machine_that_comes_back_to_it_takes_what_is_newer(
    blobs: FsspecBlobs, here: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there" / "scratch"
    scratch.restore(blobs, kept(scratch.keep(blobs, "shop", "trn_1", here)), there)
    (there / "network.npz").write_bytes(b"two")
    scratch.restore(blobs, kept(scratch.keep(blobs, "shop", "trn_1", there)), here)
    assert (here / "network.npz").read_bytes() == b"two"


def test_a_key_that_was_never_told_is_no_reason_to_go_back(blobs: FsspecBlobs, here: Path) -> None:
    first = scratch.keep(blobs, "shop", "trn_1", here)
    (here / "network.npz").write_bytes(b"two")
    scratch.keep(blobs, "shop", "trn_1", here)
    scratch.restore(blobs, kept(first), here)
    assert (here / "network.npz").read_bytes() == b"two"


def test_nothing_and_too_much_are_not_kept(
    blobs: FsspecBlobs, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scratch.keep(blobs, "shop", "trn_1", tmp_path / "nothing") is None
    monkeypatch.setattr(scratch, "MOST_BYTES", 6)
    assert scratch.keep(blobs, "shop", "trn_1", here) is None
    assert list(blobs.list("tenants/")) == []


def test_what_is_older_goes_and_at_the_end_all(blobs: FsspecBlobs, here: Path) -> None:
    made = [scratch.keep(blobs, "shop", "trn_1", here) for _ in range(3)]
    other = scratch.keep(blobs, "shop", "trn_2", here)
    scratch.forget(blobs, "shop", "trn_1", but=made[1])
    folder = keys.checkpoints_folder("shop", "trn_1")
    assert {blob.key for blob in blobs.list(folder)} == set(made[1:])
    scratch.forget(blobs, "shop", "trn_1")
    assert [blob.key for blob in blobs.list("tenants/")] == [other]
