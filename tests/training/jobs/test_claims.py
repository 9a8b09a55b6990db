"""Who has a training, and for how long."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from services.embedder.training.jobs.claims import Lost, claimed, forget_claims
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.tasks import Train
from shared.trainings import LEASE_MS, ended
from tests.training.jobs.stage import Clock, job_of, post


@pytest.fixture
def catalogue(tmp_path: Path, clock: Clock) -> Iterator[SqliteCatalogue]:
    with SqliteCatalogue(tmp_path / "catalogue.sqlite", clock=clock) as opened:
        yield opened


def test_what_a_worker_that_died_left_behind_is_gone_on_with_when_its_lease_is_over(
    catalogue: SqliteCatalogue, clock: Clock
) -> None:
    task = post(catalogue)
    first = claimed(catalogue, task)
    assert first is not None
    assert claimed(catalogue, task) is None
    clock.advance(LEASE_MS // 2)
    first.tell(stage="adapting")
    clock.advance(LEASE_MS // 2)
    assert claimed(catalogue, task) is None, "it said that it lives"
    clock.advance(LEASE_MS // 2)
    second = claimed(catalogue, task)
    assert second is not None
    assert second.attempts == 2
    with pytest.raises(Lost):
        first.tell(done=1)
    second.succeeded(None)


def test_of_many_who_take_a_training_one_has_it(catalogue: SqliteCatalogue) -> None:
    start = Barrier(4)

    def take(task: Train) -> bool:
        start.wait(10)
        return claimed(catalogue, task) is not None

    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            assert sorted(pool.map(take, [post(catalogue)] * 4)) == [False, False, False, True]


def test_a_write_whose_answer_was_lost_was_made(catalogue: SqliteCatalogue) -> None:
    task = post(catalogue)
    claim = claimed(catalogue, task)
    assert claim is not None
    known = claim.job
    assert catalogue.office.swap_job(known, replace(known, updated=known.updated + 1))
    claim.tell(stage="adapting")
    assert job_of(catalogue, task).progress["stage"] == "adapting"


def test_a_cancelled_training_is_lost_to_who_had_it(catalogue: SqliteCatalogue) -> None:
    task = post(catalogue)
    claim = claimed(catalogue, task)
    assert claim is not None
    cancelled = ended(claim.job, "cancelled", catalogue.now(), None)
    assert catalogue.office.swap_job(claim.job, cancelled)
    with pytest.raises(Lost):
        claim.tell(done=1)
    with pytest.raises(Lost):
        claim.succeeded("Done.")
    with pytest.raises(Lost):
        claim.hand_over()
    assert job_of(catalogue, task) == cancelled


def test_who_is_alone_frees_what_the_process_before_it_held(catalogue: SqliteCatalogue) -> None:
    task = post(catalogue)
    assert claimed(catalogue, task)
    forget_claims(catalogue)
    again = claimed(catalogue, task)
    assert again is not None
    assert again.attempts == 2
