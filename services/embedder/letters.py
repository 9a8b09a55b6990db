"""Dead letters of records and chunks: what could not be brought in, where it lies, and why."""

from collections.abc import Sequence

from services.embedder.ports import Ports
from shared.errors import LookalikeError
from shared.jobs import Chunk, DeadLetter, Import
from shared.sources.records import BadRecord


def put_records(ports: Ports, job: Import, bad: Sequence[BadRecord]) -> None:
    now = ports.catalogue.now()
    ports.catalogue.dead.put(
        [
            DeadLetter(
                key=f"{_records(job)}{one.offset:015d}",
                tenant=job.tenant,
                kind="record",
                code=one.code,
                detail=one.detail,
                first_seen=now,
                source=(job.import_id, one.offset),
            )
            for one in bad
        ]
    )


def first_reason(ports: Ports, job: Import) -> str:
    """Of the bad record that lies first in the source, of those found so far."""
    found = ports.catalogue.dead.page(
        job.tenant, source=job.import_id, after=_records(job), limit=1
    )
    return found[0].detail if found else ""


def put_chunk(ports: Ports, job: Import, chunk: Chunk, why: LookalikeError) -> None:
    ports.catalogue.dead.put(
        [
            DeadLetter(
                key=f"chunk/{job.import_id}/{chunk.number:08d}",
                tenant=job.tenant,
                kind="chunk",
                code=why.kind,
                detail=why.detail,
                first_seen=ports.catalogue.now(),
                attempts=chunk.attempts,
                source=(job.import_id, chunk.offset),
            )
        ]
    )


def _records(job: Import) -> str:
    return f"record/{job.import_id}/"
