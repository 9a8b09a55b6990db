"""What an exam said of an index, as its job keeps it: read by whoever has to decide on the index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.jobs import Job

EVALUATION: Final = "evaluation"
"""The kind of an exam's job."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A finished exam of one index, held against another or taken alone.

    `passed` is None where there was nothing to judge by: neither passed nor failed, and no reason
    to let the index take the place of another; `reasons` says so in a sentence then.
    """

    index_id: str
    against: str | None
    passed: bool | None
    reasons: tuple[str, ...]
    figures: Mapping[str, Any]
    """For `index`, and for `against` where there was one, its figures by name."""
    at: int
    """When it ended, in the store's milliseconds."""
    report: str | None
    """Blob key of the HTML report."""


def asked(job_id: str, tenant: str, index_id: str, against: str | None, now: int) -> Job:
    """An exam that nobody has begun."""
    told = {"index": index_id, "against": against, "stage": "waiting", "done": 0, "of": 1}
    return Job(job_id, tenant, EVALUATION, "queued", created=now, updated=now, progress=told)


def of_job(job: Job) -> Evaluation | None:
    """None where the job is no exam, or one that has not come to its end."""
    if job.kind != EVALUATION or job.state != "succeeded":
        return None
    told = job.progress
    return Evaluation(
        index_id=told["index"],
        against=told.get("against"),
        passed=told.get("passed"),
        reasons=tuple(told.get("reasons", ())),
        figures=told.get("figures", {}),
        at=job.updated,
        report=told.get("report"),
    )


def newest(jobs: Iterable[Job], index_id: str, against: str | None) -> Evaluation | None:
    """The last finished exam of an index against this other one, in whatever order jobs come."""
    found = (of_job(job) for job in jobs)
    meant = [e for e in found if e and e.index_id == index_id and e.against == against]
    return max(meant, key=lambda evaluation: evaluation.at, default=None)
