"""Walks over all products of a tenant that can be interrupted; how far they came is in a job."""

from collections.abc import Callable
from dataclasses import replace

from services.indexer.ports import Ports
from shared.jobs import FINISHED, Job, JobState
from shared.products import Product


def walk(ports: Ports, job: Job, work: Callable[[list[Product]], None], until: int) -> bool:
    """Hands over products by id from where the job stopped, at least one page; whether it ended.

    Products written behind the walk are none of its business: whoever walks has seen to it that
    writes name its target by themselves.
    """
    while "walked" not in job.progress:
        after, done = job.progress.get("after", ""), job.progress.get("products", 0)
        page = ports.catalogue.products.page(job.tenant, after, ports.limits.page)
        if page:
            work(page)
            progress = {"after": page[-1].product_id, "products": done + len(page)}
        else:
            progress = {"walked": True}
        now = ports.catalogue.now()
        job = replace(job, updated=now, progress={**job.progress, **progress})
        ports.catalogue.office.put_job(job)
        if page and now > until:
            return False
    return True


def job_of(ports: Ports, tenant: str, job_id: str, kind: str) -> Job:
    """The job of this id, or a fresh one that is stored with its first page."""
    now = ports.catalogue.now()
    fresh = Job(job_id, tenant, kind, "running", created=now, updated=now)
    return ports.catalogue.office.job(tenant, job_id) or fresh


def finish(ports: Ports, tenant: str, job_id: str, state: JobState = "succeeded") -> None:
    """The job's last word, where there is one by this id that has not said its own."""
    job = ports.catalogue.office.job(tenant, job_id)
    if job and job.state not in FINISHED:
        done = replace(job, state=state, updated=ports.catalogue.now())
        ports.catalogue.office.put_job(done)
