"""Models that are here: listed, handed in, given up. What a model is worth is tried by the embedder."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.gateway import jobs, uploads
from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.schemas.jobs import JobView
from services.gateway.schemas.models import ModelBody, ModelView
from shared.errors import NotFound
from shared.ids import new_id
from shared.indexes import Index
from shared.jobs import Job
from shared.models import REGISTRATION, RegisteredModel
from shared.removal import remove_model
from shared.tasks import RegisterModel


def everyone(caller: Caller) -> list[ModelView]:
    """Those that are registered, then those that indexes have without: bundled with the embedder."""
    indexes = caller.ports.catalogue.indexes.all(caller.tenant)
    models = caller.ports.catalogue.models.all(caller.tenant)
    known = {model.fingerprint for model in models}
    others = {i.spaces.fingerprint: i for i in indexes if i.spaces.fingerprint not in known}
    return [
        *(_registered(model, indexes) for model in models),
        *(_unregistered(index, indexes) for index in others.values()),
    ]


def view(caller: Caller, name: str) -> ModelView:
    indexes = caller.ports.catalogue.indexes.all(caller.tenant)
    return _registered(find(caller, name), indexes)


def find(caller: Caller, name: str) -> RegisteredModel:
    """By its id, or by NAME@VERSION."""
    models = caller.ports.catalogue.models
    title, _, version = name.rpartition("@")
    found = models.get(caller.tenant, name) or models.named(caller.tenant, title, version)
    if found is None:
        raise NotFound(f"No model {name!r} is registered here.", code="no_such_model")
    return found


def register(caller: Caller, body: ModelBody) -> JobView:
    """The job first, then the doorbell: what is stored is tried, sooner or later."""
    ports = caller.ports
    if body.upload_id is not None:
        uploads.whole(ports, caller.tenant, body.upload_id, "/upload_id")
    now = ports.catalogue.now()
    progress = body.model_dump(exclude_none=True)
    job = Job(new_id("job"), caller.tenant, REGISTRATION, "queued", now, now, progress)
    ports.catalogue.office.put_job(job)
    ports.queue.ring(RegisterModel(caller.tenant, job.job_id))
    return jobs.view(job)


def remove(caller: Caller, name: str) -> None:
    remove_model(caller.ports.catalogue, caller.ports.blobs, find(caller, name))


def _registered(model: RegisteredModel, indexes: Sequence[Index]) -> ModelView:
    told: Mapping[str, Any] = model.manifest
    return ModelView(
        model_id=model.model_id,
        name=model.name,
        version=model.version,
        fingerprint=model.fingerprint,
        spaces={space.name: space.dim for space in model.spaces.spaces},
        indexes=_of(model.fingerprint, indexes),
        created_at=stamp(model.created),
        size=model.size,
        **{name: told[name] for name in ModelView.TOLD if name in told},
    )


def _unregistered(index: Index, indexes: Sequence[Index]) -> ModelView:
    return ModelView(
        name=index.model,
        fingerprint=index.spaces.fingerprint,
        spaces={space.name: space.dim for space in index.spaces.spaces},
        indexes=_of(index.spaces.fingerprint, indexes),
    )


def _of(fingerprint: str, indexes: Sequence[Index]) -> list[str]:
    return [index.index_id for index in indexes if index.spaces.fingerprint == fingerprint]
