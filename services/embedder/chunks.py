"""One chunk of an import: what is new is embedded, stored and written, in this order."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from services.embedder.announce import announce, ring_shards
from services.embedder.arrivals import Arrival, embedded, stored
from services.embedder.imports import ring_chunks
from services.embedder.ports import Ports
from services.embedder.records import Draft, dead_record, read_records
from services.embedder.sources import opened
from shared.catalogue.products import Outcome, ProductWrite
from shared.catalogue.settling import settle
from shared.catalogue.targets import WRITE_DEADLINE_MS
from shared.errors import Forbidden, Invalid, NotFound
from shared.images import MAX_ATTEMPTS, Image
from shared.jobs import Chunk, Counters, DeadLetter, Import
from shared.products import Origin
from shared.runtime.failpoints import reach
from shared.seams.embedder import Embedding
from shared.sources.bson import decode
from shared.tasks import EmbedImages, ImportChunk

_log: Final = logging.getLogger(__name__)


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
    elif (data := _range(ports, job, chunk)) is not None:
        counters = _bring_in(ports, job, chunk, data)
        if counters is None:
            _log.warning("chunk %d came too late and is tried again", chunk.number)
            return
        reach("embedder.chunk_written")
        imports.finish(job.import_id, chunk.number, counters)
    ring_chunks(ports, job.import_id)
    settle(ports.catalogue, job.import_id)


_TOO_OFTEN: Final = Invalid(
    f"{MAX_ATTEMPTS} attempts ended before the chunk was done; the workers' logs say how. "
    "Import the source again: what is there already costs nothing.",
    code="gave_up",
)


def _range(ports: Ports, job: Import, chunk: Chunk) -> bytes | None:
    """The chunk's bytes; None when they will never come and the chunk was given up."""
    try:
        with opened(ports, job) as read:
            return read(chunk.offset, chunk.length)
    except (NotFound, Invalid, Forbidden) as error:
        _give_up(ports, job, chunk, error)
        return None


def _give_up(ports: Ports, job: Import, chunk: Chunk, why: NotFound | Invalid | Forbidden) -> None:
    ports.catalogue.dead.put(
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
    )
    failed = Counters(failed=chunk.records)
    ports.catalogue.imports.give_up(job.import_id, chunk.number, failed)


def _bring_in(ports: Ports, job: Import, chunk: Chunk, data: bytes) -> Counters | None:
    """None: a write was too late."""
    not_after = ports.catalogue.now() + WRITE_DEADLINE_MS
    read = read_records(job, decode(data, chunk.offset))
    for bad in read.bad:
        dead_record(ports, job, bad)
    pictures = _pictures(read.drafts)
    seen = ports.catalogue.images.touch(job.tenant, pictures)  # rule: touch_tests
    new = [one for one in pictures.values() if one.sha256 not in seen]
    # Later attempts leave pictures to the embed queue: a poison takes no neighbour along.
    results = embedded(ports, new, whole=chunk.attempts == 1)
    to_announce = stored(ports, job, chunk, new, results, not_after=not_after)
    if to_announce is None:
        return None
    outcomes = _written(ports, job, read.drafts, not_after)
    if any(outcome.status == "late" for outcome in outcomes):
        return None
    reach("embedder.products_written")
    announced = announce(ports, job.tenant, to_announce, ports.fingerprint)
    ring_shards(ports, job.tenant, {o.product.bucket for o in outcomes if o.product is not None})
    whole = announced and len(to_announce) == len(new)
    if not whole or not all(_is_done(image, ports.fingerprint) for image in seen.values()):
        ports.queue.ring(EmbedImages(ports.fingerprint, job.tenant))
    kinds = Counter(_kind(job, outcome) for outcome in outcomes)
    return Counters(
        imported=kinds["imported"],
        unchanged=kinds["unchanged"],
        superseded=kinds["superseded"],
        duplicate=kinds["duplicate"] + read.duplicates,
        failed=len(read.bad),
        pictures=len(pictures),
        embedded=sum(isinstance(result, Embedding) for result in results.values()),
    )


def _pictures(drafts: Sequence[Draft]) -> Mapping[str, Arrival]:
    return {
        sha256: Arrival(sha256, data, draft.offset)
        for draft in drafts
        for sha256, data in draft.pictures.items()
    }


def _written(ports: Ports, job: Import, drafts: Sequence[Draft], not_after: int) -> list[Outcome]:
    fresh = ports.targets.fresh(job.tenant)
    return ports.catalogue.products.upsert(
        [
            ProductWrite(
                tenant=job.tenant,
                product_id=draft.product_id,
                attributes=draft.attributes,
                images=tuple(draft.pictures),
                targets=fresh.names,
                not_after=min(fresh.not_after, not_after),  # rule: write_deadline
                origin=Origin(job.import_id, job.created, draft.offset),  # rule: dated_imports
            )
            for draft in drafts
        ]
    )


def _kind(
    job: Import, outcome: Outcome
) -> Literal["imported", "unchanged", "superseded", "duplicate"]:
    """A chunk that runs again finds its own products: they were imported all the same."""
    if outcome.status == "superseded":
        writer = outcome.product.written_by if outcome.product is not None else None
        return "duplicate" if writer is not None and writer[0] == job.import_id else "superseded"
    return "unchanged" if outcome.status == "unchanged" and not outcome.again else "imported"


def _is_done(image: Image, fingerprint: str) -> bool:
    state = image.state.get(fingerprint)
    if state is not None and (state.unannounced or state.error is not None):
        return not state.unannounced
    return fingerprint in image.vectors
