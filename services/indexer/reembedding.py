"""A catalogue brought to another model: how far its index is, then the exam, down to the last word.

The index is built like any other; this only watches, and asks for the exam once it is ready. The
alias is left to whoever reads the result.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.indexer.ports import Ports
from shared.catalogue.building import REEMBEDDING
from shared.evaluations import asked, of_job
from shared.ids import new_id
from shared.indexes import LIVE, Index, build_job_id
from shared.jobs import FINISHED, Job, JobState
from shared.tasks import Evaluate


def follow(ports: Ports, index_id: str) -> None:
    """Brings the re-embeddings that this index is for as far as they can go without waiting."""
    for job in ports.catalogue.office.unfinished_jobs(REEMBEDDING):
        if job.progress["index"] == index_id:
            _follow(ports, job, ports.catalogue.indexes.get(index_id))


def _follow(ports: Ports, job: Job, index: Index | None) -> None:
    if index is None or index.state == "retired":
        _tell(ports, job, {"stage": "dropped"}, "cancelled", "Its index was dropped.")
        return
    counts = _counts(ports, index)
    if index.state == "building":
        _tell(ports, job, {**counts, "stage": _stage(counts)})
    elif (against := _rival(ports, job, index)) is None:
        _tell(ports, job, {**counts, "stage": "ready"}, "succeeded")
    else:
        _examine(ports, _tell(ports, job, {**counts, "stage": "evaluating", **against}))


def _counts(ports: Ports, index: Index) -> dict[str, int]:
    """Pictures with a vector or a final failure, and products in all targets, of how many."""
    catalogue, tenant = ports.catalogue, index.tenant
    images, products = catalogue.images.count(tenant), catalogue.products.count(tenant)
    waiting = catalogue.images.unembedded(index.spaces.fingerprint, tenant)
    build = catalogue.office.job(tenant, build_job_id(index))
    walked = build.progress if build else {}
    reached = products if "walked" in walked else min(products, walked.get("products", 0))
    pending = max((catalogue.products.count_pending(t)[0] for t in index.target_names()), default=0)
    return {
        "images": images,
        "images_embedded": max(images - waiting, 0),
        "products": products,
        "products_indexed": max(reached - pending, 0),
    }


def _stage(counts: Mapping[str, int]) -> str:
    if counts["images_embedded"] < counts["images"]:
        return "embedding"
    return "indexing" if counts["products_indexed"] < counts["products"] else "verifying"


def _rival(ports: Ports, job: Job, index: Index) -> dict[str, Any] | None:
    """What the exam holds the index against, and the exam's id; None where there is none to take.

    Both stay as they were chosen first, so that whoever goes on after a crash asks for no second exam.
    """
    if "evaluation" in job.progress:
        return {name: job.progress[name] for name in ("against", "evaluation")}
    alias = ports.catalogue.indexes.alias(index.tenant, LIVE)
    live = ports.catalogue.indexes.get(alias.index_id) if alias else None
    if not job.progress.get("evaluate", True) or live is None:
        return None
    if live.spaces.fingerprint == index.spaces.fingerprint:
        return None
    return {"against": live.index_id, "evaluation": new_id("job")}


def _examine(ports: Ports, job: Job | None) -> None:
    """Asks for the exam unless it was asked for; with its end the re-embedding ends."""
    if job is None:  # somebody else goes on with it
        return
    exam = ports.catalogue.office.job(job.tenant, job.progress["evaluation"])
    if exam is None:
        _ask(ports, job)
    elif (found := of_job(exam)) is not None:
        told = {"stage": "evaluated", "passed": found.passed, "reasons": list(found.reasons)}
        _tell(ports, job, told, "succeeded", _verdict(job, passed=found.passed))
    elif exam.state in FINISHED:
        detail = f"The exam is {exam.state}: {exam.detail or 'nothing more is known'}"
        _tell(ports, job, {"stage": "unexamined"}, "partially_succeeded", detail)


def _ask(ports: Ports, job: Job) -> None:
    told, now = job.progress, ports.catalogue.now()
    exam = asked(told["evaluation"], job.tenant, told["index"], told["against"], now)
    ports.catalogue.office.put_job(exam)
    ports.queue.ring(Evaluate(job.tenant, exam.job_id))


def _verdict(job: Job, *, passed: bool | None) -> str:
    index, against = job.progress["index"], job.progress["against"]
    match passed:
        case True:
            return f"{index} stood its exam against {against}: it may take its place."
        case False:
            return f"{index} failed its exam against {against}."
        case None:
            return f"The catalogue has nothing by which to judge {index} against {against}."


def _tell(
    ports: Ports,
    job: Job,
    told: Mapping[str, Any],
    state: JobState = "running",
    detail: str | None = None,
) -> Job | None:
    """The job as it stands then; None where somebody else changed it meanwhile."""
    after = replace(job, progress={**job.progress, **told}, state=state, detail=detail)
    if after == job:
        return job
    after = replace(after, updated=ports.catalogue.now())
    return after if ports.catalogue.office.swap_job(job, after) else None
