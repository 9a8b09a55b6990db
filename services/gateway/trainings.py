"""Trainings: asked for, and cancelled; they are watched as jobs."""

from typing import Any, Final

from fastapi import Request

from services.gateway import bodies, sources
from services.gateway.keys import Caller
from services.gateway.schemas.trainings import (
    AdaptBody,
    AnyTraining,
    PicturesBody,
    TrainingBody,
    TripletBody,
)
from shared.blobs import keys
from shared.errors import Conflict, Flaw, Invalid, NotConfigured, NotFound
from shared.ids import new_id
from shared.jobs import Job
from shared.tasks import Train
from shared.trainings import (
    KINDS,
    RANDOM,
    REGISTERING,
    TRAINING,
    TrainingRequest,
    ended,
    from_json,
    posted,
)

_TRIES: Final = 5


def read(request: Request) -> AnyTraining:
    """The body of a kind that there is."""
    said = bodies.read_json(request, bodies.MAX_JSON_PART)
    if isinstance(said, dict) and "kind" not in said:
        raise _wrong("/kind", "missing", f"A training has a kind: {', '.join(KINDS)} are.")
    if isinstance(said, dict) and str(kind := said["kind"]) not in KINDS:
        detail = f"{str(kind)[:80]!r} is no training: {', '.join(KINDS)} are."
        raise _wrong("/kind", "unknown_kind", detail)
    return bodies.checked(said, TrainingBody).root


def start(caller: Caller, body: AnyTraining) -> Job:
    """The document first, then the doorbell: a training that is stored is carried out."""
    ports, request = caller.ports, _request(caller, body)
    if ports.untrainable is not None and not isinstance(body, AdaptBody):
        raise NotConfigured(ports.untrainable, code="no_tensorflow")
    _check_free(caller, request)
    job = posted(new_id("trn"), caller.tenant, request, ports.catalogue.now())
    ports.catalogue.office.put_job(job)
    ports.queue.ring(Train(job.tenant, job.job_id))
    return job


def cancel(caller: Caller, job: Job) -> Job:
    """At once where nobody is at it; whoever is sees it within a second or two, and stops."""
    office = caller.ports.catalogue.office
    for _ in range(_TRIES):
        if job.state == "cancelled":
            return job
        registering = job.state == "running" and job.progress.get("stage") == REGISTERING
        if registering or job.state not in ("queued", "running"):
            said = "registering its model" if registering else job.state
            raise Conflict(f"The training is {said}: it cannot be cancelled any more.")
        after = ended(job, "cancelled", caller.ports.catalogue.now(), None)
        if office.swap_job(job, after):
            _forget_checkpoints(caller, job)
            return after
        job = office.job(job.tenant, job.job_id) or job
    raise Conflict("The training moves too fast to be cancelled: try again.")


def report(caller: Caller, job_id: str) -> bytes:
    """The page that a training wrote beside its model."""
    job = caller.ports.catalogue.office.job(caller.tenant, job_id)
    blob: str | None = job.progress.get("report") if job else None
    if blob is None:
        raise NotFound(
            f"There is no report of a training {job_id!r}: a classifier writes one at its end.",
            code="no_report",
        )
    return caller.ports.blobs.read(blob)


def _forget_checkpoints(caller: Caller, job: Job) -> None:
    """Whoever is at it removes what it keeps from here on."""
    blobs = caller.ports.blobs
    for blob in list(blobs.list(keys.checkpoints_folder(job.tenant, job.job_id))):
        blobs.delete(blob.key)


def _request(caller: Caller, body: AnyTraining) -> TrainingRequest:
    """With files and folders as places that trainers may read."""
    said: dict[str, Any] = body.model_dump(exclude={"pictures", "weights", "triplets"})
    said["pictures"] = _pictures(caller, body.pictures)
    if not isinstance(body, AdaptBody):
        if body.weights is not None:
            random = body.weights == RANDOM
            said["weights"] = RANDOM if random else _place(caller, body.weights, "/weights")
        elif "backbone" not in body.model_fields_set:
            said["backbone"] = ""  # as in the command: the installation's model gets a head
    if isinstance(body, TripletBody) and body.triplets is not None:
        said["triplets"] = sources.find(caller, body.triplets, "/triplets").name
    _check_model(caller, body.from_model)
    return from_json(said)


def _pictures(caller: Caller, body: PicturesBody) -> dict[str, Any]:
    place = None
    if body.folder is not None:
        place = _place(caller, body.folder, "/pictures/folder", folder=True)
    since = None if body.since is None else int(body.since.timestamp() * 1_000)
    return {"folder": place, "categories": body.categories, "since": since}


def _place(caller: Caller, path: str, pointer: str, *, folder: bool = False) -> str:
    try:
        return caller.ports.places.at_path(path, folder=folder).name
    except (NotFound, Invalid) as error:
        raise _wrong(pointer, error.kind, error.detail) from error


def _check_model(caller: Caller, name: str | None) -> None:
    """Of a registered model; which ones are bundled, only trainers know."""
    models = caller.ports.catalogue.models
    if name is None or not ("@" in name or name.startswith("mdl_")):
        return
    title, _, version = name.rpartition("@")
    if not (models.named(caller.tenant, title, version) or models.get(caller.tenant, name)):
        detail = f"There is no model {name!r}; GET /v1/models lists them."
        raise _wrong("/from_model", "no_such_model", detail)


def _check_free(caller: Caller, request: TrainingRequest) -> None:
    """Two models of one name and version would be told apart by nobody."""
    catalogue, title = caller.ports.catalogue, f"{request.name}@{request.version}"
    if catalogue.models.named(caller.tenant, request.name, request.version) is not None:
        raise Conflict(f"{title} is registered: give it another version.", code="model_exists")
    for job in catalogue.office.unfinished_jobs(TRAINING):
        other = job.progress["request"]
        if job.tenant == caller.tenant and f"{other['name']}@{other['version']}" == title:
            raise Conflict(
                f"{title} is being trained by the job {job.job_id}: give it another version, or "
                "cancel that.",
                code="model_exists",
            )


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, flaws=(Flaw(pointer, code, detail),))
