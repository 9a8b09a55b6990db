"""One chunk of an import: claimed, read, brought in or rehearsed, and done."""

import logging
from typing import Final

from services.embedder.ending import finish_import, stop_at_failure, stop_import
from services.embedder.imports import ring_chunks
from services.embedder.intake import bring_in
from services.embedder.letters import first_reason, put_chunk
from services.embedder.ports import Ports
from services.embedder.records import Reading, Records, read_records
from services.embedder.rehearsal import rehearse
from services.embedder.sources import categories_of, mapping_of, opened
from shared.errors import Forbidden, Invalid, NotFound
from shared.images import MAX_ATTEMPTS
from shared.jobs import Chunk, Counters, Import
from shared.runtime.failpoints import reach
from shared.tasks import ImportChunk

_log: Final = logging.getLogger(__name__)
_HOPELESS: Final = 500
"""Records that have all failed, and none was brought in: the rest would fail as well."""


def import_chunk(ports: Ports, task: ImportChunk) -> None:
    """Does nothing where the chunk is done, somebody is at it, or the import does not run."""
    imports = ports.catalogue.imports
    chunk = imports.claim(task.import_id, task.number, ports.chunk_lease_ms)
    job = imports.get(task.import_id)
    if chunk is None or job is None:
        return
    reach("embedder.chunk_claimed")
    if chunk.attempts > MAX_ATTEMPTS:
        _give_up(ports, job, chunk, _TOO_OFTEN)
    else:
        try:
            records = _read(ports, job, chunk)
        except (NotFound, Invalid, Forbidden) as error:
            _give_up(ports, job, chunk, error)
        else:
            if not _worked(ports, job, chunk, records):
                _log.warning("chunk %d came too late and is tried again", chunk.number)
                return
    ring_chunks(ports, job.import_id)
    finish_import(ports, job.import_id)


_TOO_OFTEN: Final = Invalid(
    f"{MAX_ATTEMPTS} attempts ended before the chunk was done; the workers' logs say how. "
    "Try it again once the cause is gone: what is there already costs nothing.",
    code="gave_up",
)


def _read(ports: Ports, job: Import, chunk: Chunk) -> Records:
    """One read of the chunk's bytes, and what they hold."""
    with opened(ports, job) as feed:
        data = feed.read(chunk.offset, chunk.length)
    if len(data) != chunk.length:
        raise Invalid(
            f"The source ends at byte {chunk.offset + len(data):,}, in the middle of a chunk: it "
            "was changed while it was read; start another import.",
            code="source_changed",
        )
    reading = Reading(mapping_of(job), categories_of(ports, job), job.options.sample)
    return read_records(reading, feed.format.documents(data, chunk.offset))


def _worked(ports: Ports, job: Import, chunk: Chunk, records: Records) -> bool:
    """False: it was too late for a write."""
    if job.options.dry_run:
        counters, categories = rehearse(ports, job, records)
        ports.catalogue.imports.finish(job.import_id, chunk.number, counters, categories)
    else:
        brought = bring_in(ports, job, chunk, records)
        if brought is None:
            return False
        counters = brought
        reach("embedder.chunk_written")
        ports.catalogue.imports.finish(job.import_id, chunk.number, counters)
    if counters.failed:
        _heed(ports, job, counters)
    return True


def _give_up(ports: Ports, job: Import, chunk: Chunk, why: NotFound | Invalid | Forbidden) -> None:
    put_chunk(ports, job, chunk, why)
    counters = Counters(failed=chunk.records)
    ports.catalogue.imports.give_up(job.import_id, chunk.number, counters)
    stop_at_failure(ports, job, why.detail)


def _heed(ports: Ports, job: Import, counters: Counters) -> None:
    """Stops an import that was to stop, or that brings in nothing at all."""
    first = first_reason(ports, job)
    stop_at_failure(ports, job, first)
    if counters.failed == counters.read:
        so_far = ports.catalogue.imports.tally(job.import_id).counters
        if so_far.failed == so_far.read >= _HOPELESS:
            stop_import(ports, job, f"None of the first {so_far.read:,} records is right: {first}")
