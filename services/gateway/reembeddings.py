"""Bringing the catalogue to another model: an index beside the live one, then its exam.

The index document comes first, then the job that watches it; whoever asks for the same again after
a lost answer gets the job of the index that is there.
"""

from dataclasses import replace

from services.gateway.indexes import aliases_on, draw, drop
from services.gateway.keys import Caller
from services.gateway.named_models import model_of
from services.gateway.queries import index_of
from services.gateway.schemas.indexes import ReembeddingBody
from shared.catalogue.building import REEMBEDDING, begin, reembedding_id
from shared.errors import Conflict
from shared.indexes import LIVE, Index
from shared.jobs import FINISHED, Job
from shared.tasks import BuildIndex

_TRIES = 20


def start(caller: Caller, body: ReembeddingBody) -> Job:
    live = index_of(caller, LIVE)
    model = model_of(caller, body.model)
    if model.spaces.fingerprint == live.spaces.fingerprint:
        raise Conflict(
            f"`{LIVE}` is an index of {body.model} already; for another shape of it, make an index "
            "(`lookalike index create`, or POST /v1/indexes).",
            code="same_model",
        )
    drawn = draw(caller, live, model, body.shards, body.targets)
    catalogue, queue = caller.ports.catalogue, caller.ports.queue
    index = _there(caller, drawn) or begin(catalogue, queue, drawn)
    job = catalogue.office.job(caller.tenant, reembedding_id(index))
    if job is None:
        job = _job(caller, index, evaluate=body.evaluate)
        catalogue.office.put_job(job)
    queue.ring(BuildIndex(index.index_id))
    return job


def cancel(caller: Caller, job: Job) -> Job:
    """Its index is given up; what was embedded stays with the pictures, and is not made again."""
    office = caller.ports.catalogue.office
    for _ in range(_TRIES):
        if job.state in FINISHED and job.state != "cancelled":
            raise Conflict(f"The re-embedding has {job.state}: drop its index instead.")
        index = caller.ports.catalogue.indexes.get(job.progress["index"])
        if index is not None and index.state != "retired":
            drop(caller, index.index_id)
        after = replace(job, state="cancelled", updated=caller.ports.catalogue.now())
        if job.state == "cancelled" or office.swap_job(job, after):
            return after
        job = office.job(job.tenant, job.job_id) or job
    raise Conflict("The re-embedding moves too fast to be cancelled: try again.")


def _there(caller: Caller, drawn: Index) -> Index | None:
    """An index of the same model and shape that is nobody's yet."""
    same = [
        index
        for index in caller.ports.catalogue.indexes.all(caller.tenant)
        if index.spaces.fingerprint == drawn.spaces.fingerprint and index.state != "retired"
    ]
    free = [index for index in same if not aliases_on(caller, index)]
    return next((index for index in free if _shape(index) == _shape(drawn)), None)


def _shape(index: Index) -> tuple[object, ...]:
    return index.shards, frozenset(index.targets), frozenset(index.declared)


def _job(caller: Caller, index: Index, *, evaluate: bool) -> Job:
    now = caller.ports.catalogue.now()
    progress = {
        "index": index.index_id,
        "model": index.model,
        "fingerprint": index.spaces.fingerprint,
        "evaluate": evaluate,
        "stage": "waiting",
    }
    job = Job(
        reembedding_id(index), caller.tenant, REEMBEDDING, "running", created=now, updated=now
    )
    return replace(job, progress=progress)
