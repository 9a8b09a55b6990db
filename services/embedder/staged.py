"""Sources that cannot be cut by byte range are copied into a blob that can, before they are planned."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.embedder.ports import Ports
from services.embedder.staging.documents import Ranged, Source
from services.embedder.staging.stage import StagedFormat, Stopped, stage
from shared.blobs import keys
from shared.jobs import Import


def ensure_staged(ports: Ports, job: Import, goes_on: Callable[[], bool]) -> Import | None:
    """The import as it is to be planned; None when it was paused or taken over meanwhile.

    A copy that was broken off leaves nothing behind, and is begun anew.
    """
    match job.format:
        case "bson" | "jsonl" | "csv":
            return job
        case "parquet" | "folder" | "imaterialist":
            if "staged" in job.findings:
                return job
            return _staged(ports, job, job.format, goes_on)


def _staged(
    ports: Ports, job: Import, format_: StagedFormat, goes_on: Callable[[], bool]
) -> Import | None:
    blob = keys.staged(job.tenant, job.import_id)
    options = job.options
    try:
        with _source(ports, job) as source, ports.blobs.writer(blob) as writer:
            done = stage(
                format_,
                source,
                writer.write,
                lambda _done, _size: goes_on(),
                label=options.label,
                download=options.download,
                limit=options.limit,
            )
    except Stopped:
        return None
    findings = {"staged": {"blob": blob, "size": done.size}}
    oddities = {code: dict(kind) for code, kind in done.oddities.items()}
    ports.catalogue.imports.note(
        job.import_id, findings | ({"oddities": oddities} if oddities else {})
    )
    return ports.catalogue.imports.get(job.import_id)


@contextmanager
def _source(ports: Ports, job: Import) -> Iterator[Source]:
    if job.format == "folder":
        yield ports.places.folder(job.source)
        return
    with ports.places.opened(job.tenant, job.source) as (read, size):
        yield Ranged(read, size)
