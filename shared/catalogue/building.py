"""The beginning of an index, for whoever is asked for one; the indexer goes on from there."""

from dataclasses import replace
from typing import Final

from shared.catalogue.port import Catalogue
from shared.indexes import Index, build_job_id
from shared.jobs import Job
from shared.queue.port import Queue
from shared.tasks import BuildIndex

REEMBEDDING: Final = "reembedding"
"""The kind of a job that brings a catalogue to another model; its `progress.index` is the index."""


def reembedding_id(index: Index) -> str:
    """An index is made for one re-embedding at most."""
    return f"reembedding-{index.index_id}-{index.created}"


def begin(catalogue: Catalogue, queue: Queue, index: Index) -> Index:
    """Made unless it is there, and begun; from its creation on, writes name its targets."""
    # rule: index_is_state
    made = catalogue.indexes.create(replace(index, state="building"))
    if catalogue.office.job(made.tenant, build_job_id(made)) is None:
        now = catalogue.now()
        job = Job(build_job_id(made), made.tenant, "index", "running", created=now, updated=now)
        catalogue.office.put_job(replace(job, progress={"index": made.index_id}))
    queue.ring(BuildIndex(made.index_id))
    return made
