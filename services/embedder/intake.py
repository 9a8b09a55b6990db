"""What a chunk holds is embedded, stored and written, in this order; its counters say what became of it."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from services.embedder.announce import announce, ring_shards
from services.embedder.arrivals import Results, embedded, stored
from services.embedder.fetched import remember
from services.embedder.gathering import Ready, gather
from services.embedder.letters import put_records
from services.embedder.ports import Ports
from services.embedder.records import Records
from shared.blobs import keys
from shared.catalogue.products import Outcome, ProductWrite
from shared.catalogue.targets import WRITE_DEADLINE_MS
from shared.images import Image
from shared.jobs import Chunk, Counters, Import
from shared.products import Origin
from shared.runtime.failpoints import reach
from shared.seams.embedder import Embedding
from shared.tasks import EmbedImages


def bring_in(ports: Ports, job: Import, chunk: Chunk, records: Records) -> Counters | None:
    """None: a write was too late, and the chunk is left to its next attempt."""
    not_after = ports.catalogue.now() + WRITE_DEADLINE_MS
    put_records(ports, job, records.bad)
    gathered = gather(ports, job, records.drafts)
    put_records(ports, job, gathered.lost)
    shown = {sha256 for ready in gathered.ready for sha256 in ready.images}
    seen = ports.catalogue.images.touch(job.tenant, shown)  # rule: touch_tests
    new = [one for one in gathered.arrivals.values() if one.sha256 not in seen]
    # Later attempts leave pictures to the embed queue: a poison takes no neighbour along.
    results = embedded(ports, new, whole=chunk.attempts == 1)
    to_announce = stored(ports, job, chunk, new, results, not_after=not_after)
    if to_announce is None:
        return None
    remember(ports, job.tenant, gathered.urls)
    outcomes = _written(ports, job, gathered.ready, not_after)
    if any(outcome.status == "late" for outcome in outcomes):
        return None
    reach("embedder.products_written")
    announced = announce(ports, job.tenant, to_announce, ports.fingerprint)
    moved = {o.product.bucket for o in outcomes if o.product is not None and o.product.pending}
    if moved or to_announce:
        ring_shards(ports, job.tenant, moved)
    whole = announced and len(to_announce) == len(new)
    if not whole or not all(_is_done(image, ports.fingerprint) for image in seen.values()):
        ports.queue.ring(EmbedImages(ports.fingerprint, job.tenant))
    kinds = Counter(kind_of(job, outcome) for outcome in outcomes)
    return Counters(
        imported=kinds["imported"],
        unchanged=kinds["unchanged"],
        superseded=kinds["superseded"],
        duplicate=kinds["duplicate"] + records.duplicates,
        failed=len(records.bad) + gathered.failed,
        left_out=records.left_out,
        created=sum(_was_created(outcome) for outcome in outcomes),
        pictures=len(shown),
        embedded=_embedded(job, chunk, seen, results, ports.fingerprint),
    )


def _written(ports: Ports, job: Import, ready: Sequence[Ready], not_after: int) -> list[Outcome]:
    fresh = ports.targets.fresh(job.tenant)
    in_time = min(fresh.not_after, not_after)  # rule: write_deadline
    return ports.catalogue.products.upsert(
        [write_of(job, one, fresh.names, in_time) for one in ready]
    )


def write_of(job: Import, one: Ready, targets: frozenset[str], not_after: int) -> ProductWrite:
    """How a record comes in; a dry run asks what would become of the same."""
    return ProductWrite(
        tenant=job.tenant,
        product_id=one.product_id,
        attributes=one.attributes,
        images=one.images,
        targets=targets,
        not_after=not_after,
        origin=Origin(job.import_id, job.created, one.offset),  # rule: dated_imports
    )


def kind_of(
    job: Import, outcome: Outcome
) -> Literal["imported", "unchanged", "superseded", "duplicate"]:
    """A chunk that runs again finds its own products: they were imported all the same."""
    if outcome.status == "superseded":
        writer = outcome.product.written_by if outcome.product is not None else None
        return "duplicate" if writer is not None and writer[0] == job.import_id else "superseded"
    return "unchanged" if outcome.status == "unchanged" and not outcome.again else "imported"


def _was_created(outcome: Outcome) -> bool:
    """By this attempt at the chunk or by one before."""
    again = outcome.again and outcome.product is not None and outcome.product.version == 1
    return outcome.status == "created" or again


def _embedded(
    job: Import, chunk: Chunk, seen: dict[str, Image], results: Results, fingerprint: str
) -> int:
    """By this attempt, or by those before, whose packs tell what they brought."""
    ours = keys.packs_of_chunk(job.tenant, job.import_id, chunk.number)
    before = sum(
        image.place.blob.startswith(ours) and fingerprint in image.vectors
        for image in seen.values()
    )
    return before + sum(isinstance(result, Embedding) for result in results.values())


def _is_done(image: Image, fingerprint: str) -> bool:
    state = image.state.get(fingerprint)
    if state is not None and (state.unannounced or state.error is not None):
        return not state.unannounced
    return fingerprint in image.vectors
