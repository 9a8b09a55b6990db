"""One training from its ring to its end, whatever dies on the way."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.embedder.model import read_manifest
from services.embedder.registry import Shelf
from services.embedder.training.jobs.claims import AGAIN_MS, claimed
from services.embedder.training.jobs.running import Trainer, handle, sweep
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Invalid
from shared.tasks import SyncShard, Train
from shared.trainings import LEASE_MS, NO_TENSORFLOW, ClassifierRequest, Pictures, ended
from tests.training.jobs.stage import (
    TENANT,
    Clock,
    asked,
    job_of,
    post,
    stock,
    trainer_at,
    trainings_here,
    until,
)


@contextmanager
def running(trainer: Trainer, task: Train) -> Iterator[threading.Thread]:
    """The training at work in its process; joined at the end."""
    thread = threading.Thread(target=handle, args=(trainer, task))
    thread.start()
    try:
        until(trainings_here)
        yield thread
    finally:
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings stop for long where they begin to adapt."""
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.told:sleep-600:adapting")


def test_a_training_registers_its_model_and_tells_how_it_went(
    trainer: Trainer, catalogue: SqliteCatalogue, tmp_path: Path
) -> None:
    task = post(catalogue, asked(version="2"))
    handle(trainer, task)
    job = job_of(catalogue, task)
    assert (job.state, job.progress["model"]) == ("succeeded", "ours@2"), job
    assert job.detail
    assert job.detail.startswith("Of the ten nearest")
    assert job.progress["figures"]["after"] > job.progress["figures"]["before"]
    folder = Shelf(catalogue, trainer.blobs, tmp_path).folder(TENANT, job.progress["model_id"])
    assert read_manifest(folder).spaces.fingerprint == job.progress["fingerprint"]
    assert not any(trainer.folder.iterdir())


def test_where_nothing_is_gained_it_says_so_and_registers_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    with SqliteCatalogue(tmp_path / "catalogue.sqlite", clock=clock) as catalogue:
        stock(catalogue, told=False)
        task = post(catalogue)
        handle(trainer_at(tmp_path, catalogue, tmp_path / "trainings"), task)
        job = job_of(catalogue, task)
        assert (job.state, "model_id" in job.progress) == ("succeeded", False)
        assert job.detail
        assert job.detail.endswith("Nothing was registered.")
        assert catalogue.models.all(TENANT) == []


@pytest.mark.usefixtures("slow")
def test_of_many_rings_one_is_answered(
    trainer: Trainer, catalogue: SqliteCatalogue, tmp_path: Path
) -> None:
    other = trainer_at(tmp_path, catalogue, tmp_path / "another")
    task = post(catalogue)
    with running(trainer, task):
        handle(other, task)
        assert not list(other.folder.glob("*"))
        assert len(trainings_here()) == 1
        trainer.stop()
    assert job_of(catalogue, task).progress["attempts"] == 0


@pytest.mark.usefixtures("slow")
def test_a_cancelled_training_stops_and_leaves_nothing(
    trainer: Trainer, catalogue: SqliteCatalogue
) -> None:
    task = post(catalogue)
    with running(trainer, task) as thread:
        until(lambda: job_of(catalogue, task).progress.get("stage") == "reading")
        until(lambda: cancelled(catalogue, task))
        thread.join(5)
        assert not thread.is_alive()
    assert trainings_here() == []
    assert job_of(catalogue, task).state == "cancelled"
    assert not any(trainer.folder.iterdir())
    assert catalogue.models.all(TENANT) == []


def cancelled(catalogue: SqliteCatalogue, task: Train) -> bool:
    job = job_of(catalogue, task)
    return catalogue.office.swap_job(job, ended(job, "cancelled", catalogue.now(), None))


def test_a_training_whose_process_is_killed_is_gone_on_with_and_ends_once(
    trainer: Trainer, catalogue: SqliteCatalogue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = post(catalogue)
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.told:sleep-600:adapting")
    with running(trainer, task):
        monkeypatch.delenv("LOOKALIKE_FAILPOINT")
        until(lambda: job_of(catalogue, task).progress.get("stage") == "reading")
        os.kill(trainings_here()[0], signal.SIGKILL)
    job = job_of(catalogue, task)
    assert job.state == "queued"
    assert "no memory" in str(job.detail)
    handle(trainer, task)
    assert job_of(catalogue, task) == job, "it waits a while for better luck"
    clock.advance(AGAIN_MS)
    handle(trainer, task)
    job = job_of(catalogue, task)
    assert (job.state, job.progress["attempts"]) == ("succeeded", 2), job
    assert [model.title for model in catalogue.models.all(TENANT)] == ["ours@1"]
    handle(trainer, task)
    assert job_of(catalogue, task) == job


def test_a_training_that_dies_again_and_again_fails_with_the_reason(
    trainer: Trainer, catalogue: SqliteCatalogue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.told:kill")
    task = post(catalogue)
    for _ in range(3):
        handle(trainer, task)
        clock.advance(2 * AGAIN_MS)
    job = job_of(catalogue, task)
    assert job.state == "failed"
    assert str(job.detail).endswith("It was tried 3 times.")
    assert not any(trainer.folder.iterdir())


def test_a_training_whose_model_was_made_is_only_registered(
    trainer: Trainer, catalogue: SqliteCatalogue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = post(catalogue)
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.registering:kill")
    handle(trainer, task)
    assert job_of(catalogue, task).state == "queued"
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.told:kill")
    clock.advance(AGAIN_MS)
    handle(trainer, task)
    assert job_of(catalogue, task).state == "succeeded"


@pytest.mark.usefixtures("slow")
def test_a_trainer_that_is_to_end_hands_over_at_once(
    trainer: Trainer, catalogue: SqliteCatalogue
) -> None:
    task = post(catalogue)
    with running(trainer, task):
        trainer.stop()
        assert trainings_here() == []
    job = job_of(catalogue, task)
    assert (job.state, job.progress["attempts"]) == ("queued", 0)
    handle(trainer, task)
    assert job_of(catalogue, task) == job, "it takes no more"
    assert claimed(catalogue, task), "and others may"


def test_a_training_that_cannot_be_done_fails_at_once_and_says_why(
    trainer: Trainer, catalogue: SqliteCatalogue, tmp_path: Path
) -> None:
    gone = post(catalogue, asked(pictures=Pictures(folder=f"file:{tmp_path}/gone")))
    unknown = post(catalogue, asked(from_model="nobody@7"))
    few = post(catalogue, asked(pictures=Pictures(categories=(("All", "3"),))))
    for task, sentence in (
        (gone, "gone"),
        (unknown, "no model 'nobody@7'"),
        (few, "two categories"),
    ):
        handle(trainer, task)
        job = job_of(catalogue, task)
        assert (job.state, sentence in str(job.detail)) == ("failed", True), job


def test_without_tensorflow_it_says_what_to_install(
    trainer: Trainer, catalogue: SqliteCatalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tensorflow", "keras"):
        sentence = f"raise ModuleNotFoundError('none here', name={name!r})"
        (tmp_path / f"{name}.py").write_text(sentence, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "mug.jpg").touch()
    task = post(catalogue, ClassifierRequest(name="x", pictures=Pictures(folder=f"file:{folder}")))
    handle(trainer, task)
    job = job_of(catalogue, task)
    assert (job.state, job.detail) == ("failed", NO_TENSORFLOW)


def test_after_workers_that_died_three_times_it_fails(
    trainer: Trainer, catalogue: SqliteCatalogue, clock: Clock
) -> None:
    task = post(catalogue)
    for _ in range(3):
        assert claimed(catalogue, task)
        clock.advance(LEASE_MS)
    handle(trainer, task)
    job = job_of(catalogue, task)
    assert (job.state, job.detail) == ("failed", "Its worker died 3 times over it.")


def test_what_lies_around_of_trainings_that_are_over_is_removed(
    trainer: Trainer, catalogue: SqliteCatalogue
) -> None:
    over, there = post(catalogue), post(catalogue)
    for task in (over, there):
        folder = trainer.folder / task.job_id
        folder.mkdir(parents=True)
        (folder / "asked.json").write_text(json.dumps({"tenant": TENANT}), encoding="utf-8")
    cancelled(catalogue, over)
    sweep(trainer)
    assert [folder.name for folder in trainer.folder.iterdir()] == [there.job_id]


def test_another_task_is_refused(trainer: Trainer) -> None:
    with pytest.raises(Invalid, match="nothing to do with"):
        handle(trainer, SyncShard("idx_1", 0))


def test_what_nobody_expected_is_told_in_a_line_and_tried_again(
    trainer: Trainer, catalogue: SqliteCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.told:raise")
    task = post(catalogue)
    handle(trainer, task)
    job = job_of(catalogue, task)
    assert (job.state, job.detail) == ("queued", "It failed: FailpointReached: training.told.")
