"""Pictures that lack vectors, a batch at a time."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

import numpy as np

from services.embedder.announce import announce, ring_shards
from services.embedder.canary import CANARY
from services.embedder.ports import Ports
from services.embedder.verdicts import KILLS_DECODER, give_up_image
from shared.blobs import keys
from shared.blobs.packs import PackWriter
from shared.catalogue.images import VectorWrite
from shared.errors import NotFound, Unavailable
from shared.images import MAX_ATTEMPTS, Claim, Place
from shared.runtime.failpoints import reach
from shared.seams.embedder import Embedding, Failure, embedder_of
from shared.tasks import EmbedImages
from shared.vectors import to_bytes

_log: Final = logging.getLogger(__name__)
_LONE_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class _Job:
    """A claimed image with its bytes; none where only the announcement is left to do."""

    claim: Claim
    data: bytes = b""


def embed_images(ports: Ports, task: EmbedImages) -> int:
    """One batch; how many images were announced. Rings again while more is claimable."""
    embedder = embedder_of(task.fingerprint, ports.embedder, ports.embedders)
    if embedder is None:
        _log.warning("nobody has a model of %s: register the one that it is of", task.fingerprint)
        return 0
    ports = replace(ports, embedder=embedder)
    found = ports.catalogue.images.claimable(
        task.fingerprint, ports.batch + 1, tenant=task.tenant, images=task.images
    )
    batch = _batch(found, ports.batch)
    jobs = list(_claimed(ports, batch))
    done = _finish(ports, jobs)
    if len(found) > len(batch):
        ports.queue.ring(task)
    return done


def _batch(found: Sequence[Claim], size: int) -> list[Claim]:
    """Claims of one tenant that were tried equally often.

    A batch halves with every attempt and the last attempts are alone: so a picture that kills its
    worker ends up by itself, and no neighbour is ever blamed for it.
    """
    if not found:
        return []
    first = found[0]
    alone = first.attempts >= MAX_ATTEMPTS - _LONE_ATTEMPTS
    equals = takewhile(lambda c: (c.attempts, c.tenant) == (first.attempts, first.tenant), found)
    return list(equals)[: 1 if alone else max(1, size >> first.attempts)]


def _claimed(ports: Ports, batch: Sequence[Claim]) -> Iterator[_Job]:
    """Bytes first: a blob store that is down must not count as an attempt.

    Nor must an embedder that is down: what failed before is tried again only where a good picture
    goes through. Missing bytes are no failure of the picture; the claim keeps it out of the way.
    """
    if batch and batch[0].attempts and not all(claim.unannounced for claim in batch):
        ports.embedder.embed([CANARY])
    read = [(claim, b"" if claim.unannounced else _bytes(ports, claim)) for claim in batch]
    for claim, data in read:
        if ports.catalogue.images.claim(claim, ports.lease_ms) and data is not None:
            yield _Job(claim, data)


def _bytes(ports: Ports, claim: Claim) -> bytes | None:
    place = claim.place
    try:
        data = ports.blobs.read(place.blob, place.offset, place.length)
    except NotFound:
        data = b""
    if len(data) == place.length:
        return data
    _log.error("the bytes of image %s are not in %s", claim.sha256, place.blob)
    return None


def _finish(ports: Ports, jobs: Sequence[_Job]) -> int:
    reach("embedder.claimed")
    done = [claim.sha256 for claim in _stored(ports, jobs)]
    if not done or not announce(ports, jobs[0].claim.tenant, done, ports.fingerprint):
        return 0
    ring_shards(ports, jobs[0].claim.tenant)
    return len(done)


def _stored(ports: Ports, jobs: Sequence[_Job]) -> Iterator[Claim]:
    """Each image as soon as its vector or verdict is stored, or was before."""
    yield from (job.claim for job in jobs if job.claim.unannounced)
    todo = [job for job in jobs if not job.claim.unannounced]
    if todo and todo[0].claim.attempts >= MAX_ATTEMPTS:
        results: list[tuple[_Job, Embedding | Failure]] = [(todo[0], KILLS_DECODER)]
    else:
        results = list(_embedded(ports, todo))
    thumbnails = _thumbnails(ports, results)
    for job, result in results:
        if _store(ports, job.claim, result, thumbnails.get(job.claim.sha256)):
            reach("embedder.stored", job.claim.sha256)
            yield job.claim


def _embedded(ports: Ports, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, Embedding | Failure]]:
    """Where the embedder breaks, by halves: in the end a single picture is left to its next attempt.

    It is given up at once where the embedder breaks of a good picture too.
    """
    if not jobs:
        return
    try:
        results = ports.embedder.embed([job.data for job in jobs], thumbnails=True)
    except Unavailable as error:
        _log.warning("embedding %d pictures failed: %s", len(jobs), error)
        ports.embedder.embed([CANARY])
        if len(jobs) > 1:
            half = len(jobs) // 2
            yield from _embedded(ports, jobs[:half])
            yield from _embedded(ports, jobs[half:])
        return
    yield from zip(jobs, results, strict=True)


def _thumbnails(
    ports: Ports, results: Sequence[tuple[_Job, Embedding | Failure]]
) -> dict[str, Place]:
    """All new thumbnails of a batch in one blob, written before a document names it."""
    made = {
        job.claim.sha256: result.thumbnail
        for job, result in results
        if isinstance(result, Embedding) and result.thumbnail is not None
    }
    if not made:
        return {}
    tenant = results[0][0].claim.tenant
    known = ports.catalogue.images.get(tenant, made)
    with PackWriter(ports.blobs, keys.thumbnail(tenant)) as pack:
        return {
            sha256: pack.add(data)
            for sha256, data in made.items()
            if sha256 in known and known[sha256].thumbnail is None
        }


def _store(
    ports: Ports, claim: Claim, result: Embedding | Failure, thumbnail: Place | None
) -> bool:
    if isinstance(result, Failure):
        return give_up_image(
            ports, claim.tenant, claim.sha256, claim.place, result, attempts=claim.attempts + 1
        )
    return ports.catalogue.images.store_vector(
        VectorWrite(
            tenant=claim.tenant,
            sha256=claim.sha256,
            fingerprint=claim.fingerprint,
            vector=float16(result),
            phash=result.phash,
            thumbnail=thumbnail,
        )
    )


def float16(embedding: Embedding) -> bytes:
    """A vector as the catalogue keeps it."""
    return to_bytes(np.frombuffer(embedding.vector, dtype=np.float32))
