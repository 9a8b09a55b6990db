"""A training in the hands of one worker, for as long as it says that it lives."""

from collections.abc import Callable
from typing import Any, Final

from shared import trainings
from shared.catalogue.port import Catalogue
from shared.ids import ulid
from shared.jobs import Job
from shared.tasks import Train

AGAIN_MS: Final = 20_000
"""How long a training that came to grief waits for better luck, the first time."""


class Lost(Exception):
    """The training was cancelled, or another worker has it: stop, and say nothing more of it."""


class Claim:
    """Every write is made only where the job is as this worker wrote it last; else it raises `Lost`."""

    def __init__(self, catalogue: Catalogue, job: Job) -> None:
        self._catalogue = catalogue
        self.job = job

    @property
    def attempts(self) -> int:
        """This one included."""
        return int(self.job.progress["attempts"])

    def tell(self, **news: Any) -> None:
        """Adds to the progress, and says that the worker lives."""
        self._become(
            lambda job, now: trainings.told(
                job, now, {**news, "lease_until": now + trainings.LEASE_MS}
            )
        )

    def succeeded(self, detail: str | None, **told: Any) -> None:
        self._become(lambda job, now: trainings.ended(job, "succeeded", now, detail, **told))

    def failed(self, detail: str) -> None:
        self._become(lambda job, now: trainings.ended(job, "failed", now, detail))

    def again(self, detail: str) -> None:
        """Once more from the last checkpoint, or, after too many attempts, not."""
        if self.attempts >= trainings.ATTEMPTS:
            self.failed(f"{detail} It was tried {self.attempts} times.")
            return
        wait_ms = AGAIN_MS * self.attempts
        self._become(
            lambda job, now: trainings.put_back(job, now, detail, wait_ms=wait_ms, counted=True)
        )

    def hand_over(self) -> None:
        """For the next worker, at once: this one is told to end."""
        self._become(lambda job, now: trainings.put_back(job, now, None, wait_ms=0, counted=False))

    def _become(self, change: Callable[[Job, int], Job]) -> None:
        office, now = self._catalogue.office, self._catalogue.now()
        after = change(self.job, now)
        if not office.swap_job(self.job, after):
            # A write whose answer was lost was made all the same: it is still ours then.
            there = self._there()
            after = change(there, now)
            if not office.swap_job(there, after):
                raise Lost
        self.job = after

    def _there(self) -> Job:
        there = self._catalogue.office.job(self.job.tenant, self.job.job_id)
        ours = self.job.progress["worker"]
        if there is None or there.state != "running" or there.progress["worker"] != ours:
            raise Lost
        return there


def claimed(catalogue: Catalogue, task: Train) -> Claim | None:
    """None where there is nothing to do, or somebody else is at it."""
    job, now = catalogue.office.job(task.tenant, task.job_id), catalogue.now()
    if job is None or job.kind != trainings.TRAINING or not trainings.is_due(job, now):
        return None
    mine = trainings.taken(job, ulid(), now)
    return Claim(catalogue, mine) if catalogue.office.swap_job(job, mine) else None


def forget_claims(catalogue: Catalogue) -> None:
    """Called by who is alone with the catalogue: what a process held that is gone is free at once."""
    office, now = catalogue.office, catalogue.now()
    for job in office.unfinished_jobs(trainings.TRAINING):
        office.swap_job(job, trainings.told(job, now, {"lease_until": 0}))
