"""The exam as a job: asked over HTTP, held here, its report among the blobs and its verdict in the job."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.indexer.exam.exam import Exam
from services.indexer.exam.indexes import examine_indexes, index_named
from services.indexer.exam.pictures import thumbnails
from services.indexer.exam.report import names_of, report
from services.indexer.exam.sheets import sheets
from services.indexer.ports import MINUTE_MS, Ports
from shared.blobs import keys
from shared.errors import LookalikeError, Unavailable
from shared.evaluations import EVALUATION
from shared.ids import ulid
from shared.jobs import FINISHED, Job
from shared.tasks import Evaluate

logger = logging.getLogger(__name__)

LEASE_MS: Final = 2 * MINUTE_MS
TRIES: Final = 3
"""An exam that never comes to its end, or ends its worker, is given up after so many."""
_APART_S: Final = 1.0


class _Overtaken(Exception):
    """The job is not what it was: cancelled, or in other hands."""


@dataclass(slots=True)
class _Sitting:
    """One try at a job: keeps the lease and tells how far it is, at most once a second."""

    ports: Ports
    job: Job
    holder: str = field(default_factory=ulid)
    told: float = 0.0

    def begin(self) -> bool:
        """False while another try is under way."""
        return self._lease(LEASE_MS)

    def tell(self, stage: str, done: int, of: int) -> None:
        if time.monotonic() - self.told < _APART_S:
            return
        self.told = time.monotonic()
        if not self._lease(LEASE_MS):
            raise _Overtaken
        self.swap(progress={"stage": stage, "done": done, "of": of})

    def swap(self, *, progress: Mapping[str, Any], **said: Any) -> None:
        now = self.ports.catalogue.now()
        merged = {**self.job.progress, **progress}
        after = replace(self.job, updated=now, progress=merged, **said)
        if not self.ports.catalogue.office.swap_job(self.job, after):
            raise _Overtaken
        self.job = after

    def end(self) -> None:
        self._lease(-1)

    def _lease(self, lease_ms: int) -> bool:
        name = lease_of(self.job)
        return self.ports.catalogue.office.lease(name, self.holder, lease_ms)


def lease_of(job: Job) -> str:
    """Held by whoever is at it, so that the reconciler rings only for what nobody does."""
    return f"evaluation/{job.job_id}"


def evaluate(ports: Ports, task: Evaluate) -> None:
    """From the beginning at every try; what a dead worker left half done is nowhere named."""
    job = ports.catalogue.office.job(task.tenant, task.job_id)
    if job is None or job.kind != EVALUATION or job.state in FINISHED:
        return
    sitting = _Sitting(ports, job)
    if not sitting.begin():
        return
    try:
        _sit(ports, sitting)
    except _Overtaken:
        logger.info("the exam %s is in other hands", task.job_id)
    finally:
        sitting.end()


def _sit(ports: Ports, sitting: _Sitting) -> None:
    tries = int(sitting.job.progress.get("tries", 0)) + 1
    if tries > TRIES:
        sitting.swap(progress={}, state="failed", detail=f"The exam did not end in {TRIES} tries.")
        return
    sitting.swap(progress={"tries": tries}, state="running")
    try:
        exam = _held(ports, sitting)
        blob = _reported(ports, sitting, exam)
    except Unavailable:
        raise  # it is rung for again
    except LookalikeError as error:
        sitting.swap(progress={}, state="failed", detail=error.detail)
        return
    sitting.swap(progress={**_told(exam), "report": blob}, state="succeeded")


def _held(ports: Ports, sitting: _Sitting) -> Exam:
    job = sitting.job
    named = [job.progress["index"], job.progress.get("against")]
    mine, other = (
        None if name is None else index_named(ports.catalogue, job.tenant, name) for name in named
    )
    assert mine is not None  # noqa: S101 - whoever makes the job names an index
    return examine_indexes(ports.catalogue, ports.blobs, mine, other, sitting.tell)


def _reported(ports: Ports, sitting: _Sitting, exam: Exam) -> str:
    """The report's blob, of a name of its own at every try."""
    sitting.tell("writing the report", 0, 1)
    job, shown = sitting.job, sheets(exam)
    pictures = thumbnails(ports.catalogue, ports.blobs, job.tenant, names_of(exam.photos, shown))
    blob = keys.report(job.tenant, job.job_id, "html")
    ports.blobs.put(blob, report(exam, shown, pictures).encode())
    return blob


def _told(exam: Exam) -> Mapping[str, Any]:
    return {
        "stage": "done",
        "done": 1,
        "of": 1,
        "passed": exam.verdict.passed,
        "reasons": list(exam.verdict.reasons),
        "notes": list(exam.notes),
        "figures": exam.told(),
    }
