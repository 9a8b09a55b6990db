"""Models that are here: listed, handed in, given up. What a model is worth is tried by the embedder."""

from collections.abc import Sequence
from typing import Any

from services.gateway import jobs, uploads
from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.named_models import Known, find
from services.gateway.schemas.jobs import JobView
from services.gateway.schemas.models import ModelBody, ModelView
from shared.ids import new_id
from shared.indexes import Index
from shared.jobs import Job
from shared.models import REGISTRATION, BundledModel, bundled_stays
from shared.removal import remove_model
from shared.spaces import Spaces
from shared.tasks import RegisterModel


def everyone(caller: Caller) -> list[ModelView]:
    """Those that are bundled, those that are registered, those that only indexes have any more."""
    indexes = caller.ports.catalogue.indexes.all(caller.tenant)
    models: list[Known] = [
        *caller.ports.bundled(),
        *caller.ports.catalogue.models.all(caller.tenant),
    ]
    known = {model.spaces.fingerprint for model in models}
    gone = {i.spaces.fingerprint: i for i in indexes if i.spaces.fingerprint not in known}
    return [
        *(_view(model, indexes) for model in models),
        *(ModelView(name=i.model, **_given(i.spaces, indexes)) for i in gone.values()),
    ]


def view(caller: Caller, name: str) -> ModelView:
    return _view(find(caller, name), caller.ports.catalogue.indexes.all(caller.tenant))


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
    found = find(caller, name)
    if isinstance(found, BundledModel):
        raise bundled_stays(name)
    remove_model(caller.ports.catalogue, caller.ports.blobs, found)


def _view(model: Known, indexes: Sequence[Index]) -> ModelView:
    told = {name: model.manifest[name] for name in ModelView.TOLD if name in model.manifest}
    told |= _given(model.spaces, indexes)
    if isinstance(model, BundledModel):
        return ModelView(name=model.name, version=model.manifest["version"], bundled=True, **told)
    return ModelView(
        model_id=model.model_id,
        name=model.name,
        version=model.version,
        created_at=stamp(model.created),
        size=model.size,
        **told,
    )


def _given(spaces: Spaces, indexes: Sequence[Index]) -> dict[str, Any]:
    """What its vectors are, and which indexes have them."""
    return {
        "fingerprint": spaces.fingerprint,
        "spaces": {space.name: space.dim for space in spaces.spaces},
        "indexes": [i.index_id for i in indexes if i.spaces.fingerprint == spaces.fingerprint],
    }
