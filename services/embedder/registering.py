"""Models that were handed in over HTTP: tried here, for the gateway runs no networks."""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from services.embedder.archive import MAX_BYTES
from services.embedder.ports import Ports
from services.embedder.registry import bundled, register, register_archive
from shared.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from shared.ids import ulid
from shared.jobs import FINISHED, Job
from shared.models import REGISTRATION, RegisteredModel, registration_lease
from shared.tasks import RegisterModel

_log: Final = logging.getLogger(__name__)
_LEASE_MS: Final = 10 * 60 * 1000
_COPY_BYTES: Final = 4 << 20


def register_model(ports: Ports, task: RegisterModel) -> None:
    """To the job's end, unless somebody is at it; what may pass by itself is tried again later."""
    office = ports.catalogue.office
    job = office.job(task.tenant, task.job_id)
    if job is None or job.kind != REGISTRATION or job.state in FINISHED:
        return
    holder, lease = ulid(), registration_lease(job.job_id)
    if not office.lease(lease, holder, _LEASE_MS):
        return
    try:
        _end(ports, job)
    finally:
        office.lease(lease, holder, 0)


def _end(ports: Ports, job: Job) -> None:
    try:
        model = _registered(ports, job)
    except (Invalid, Conflict, NotFound) as error:
        ended = replace(job, state="failed", detail=error.detail)
        told: dict[str, Any] = {"code": error.kind}
    except Unavailable as error:
        _log.warning("registering a model has to wait: %s", error)
        return
    else:
        ended = replace(job, state="succeeded")
        told = {"model_id": model.model_id, "model": model.title}
    now = ports.catalogue.now()
    ports.catalogue.office.put_job(replace(ended, updated=now, progress={**job.progress, **told}))


def _registered(ports: Ports, job: Job) -> RegisteredModel:
    if name := job.progress.get("bundled"):
        return register(ports.catalogue, ports.blobs, job.tenant, _bundled(name))
    with tempfile.TemporaryDirectory(prefix="lookalike-upload-") as room:
        archive = Path(room) / "upload.tar"
        try:
            _fetch(ports, job, archive)
        except OSError as error:
            raise Unavailable(f"The upload does not fit on this disk: {error.strerror}.") from error
        return register_archive(ports.catalogue, ports.blobs, job.tenant, archive)


def _bundled(name: str) -> Path:
    folders = {folder.name: folder for folder in bundled()}
    if name not in folders:
        raise NotFound(
            f"No model {name!r} is bundled; there are: {', '.join(folders)}.", code="no_such_model"
        )
    return folders[name]


def _fetch(ports: Ports, job: Job, archive: Path) -> None:
    source = f"upload:{job.progress['upload_id']}"
    with ports.places.opened(job.tenant, source) as (read, size), archive.open("wb") as file:
        if size > MAX_BYTES:
            raise TooLarge(f"An archive of a model has at most {MAX_BYTES >> 20:,} MiB.")
        for offset in range(0, size, _COPY_BYTES):
            file.write(read(offset, min(_COPY_BYTES, size - offset)))
