"""The pictures that a chunk of an import brings and that the catalogue does not have yet."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.embedder.images import float16
from services.embedder.ports import Ports
from services.embedder.verdicts import give_up_image
from shared.blobs import keys
from shared.blobs.packs import PackWriter
from shared.catalogue.images import ImageWrite
from shared.errors import Invalid, Unavailable
from shared.jobs import Chunk, Import
from shared.pictures import Header, sniff
from shared.runtime.failpoints import reach
from shared.seams.embedder import Embedding, Failure

_log: Final = logging.getLogger(__name__)
_NO_PICTURE: Final = Header("application/octet-stream", 0, 0)

Results = Mapping[str, Embedding | Failure]
"""By SHA-256; a picture that is not here is left to the embed queue."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A picture and the offset of the record that it came in."""

    sha256: str
    data: bytes
    offset: int


def embedded(ports: Ports, new: Sequence[Arrival], *, whole: bool) -> Results:
    """What is no picture by its first bytes has failed; the others are embedded if `whole`."""
    failed = {one.sha256: flaw for one in new if (flaw := _flaw(one.data)) is not None}
    if not whole:
        return failed
    good = [one for one in new if one.sha256 not in failed]
    return failed | _vectors(ports, good)


def stored(
    ports: Ports,
    job: Import,
    chunk: Chunk,
    new: Sequence[Arrival],
    results: Results,
    *,
    not_after: int,
) -> list[str] | None:
    """One pack, then the documents, then the verdicts; which images are to be announced.

    None: too late, and the chunk is left to its next attempt.
    """
    key = keys.pack(job.tenant, job.import_id, chunk.number, chunk.attempts)
    with PackWriter(ports.blobs, key) as pack:
        writes = [
            _write(ports, job, pack, one, results.get(one.sha256), not_after=not_after)
            for one in new
        ]
    reach("embedder.pack_written")
    if None in ports.catalogue.images.put(writes):
        return None
    reach("embedder.images_written")
    return [
        one.sha256
        for one, write in zip(new, writes, strict=True)
        if _is_final(ports, job, one, write, results.get(one.sha256))
    ]


def _is_final(
    ports: Ports,
    job: Import,
    one: Arrival,
    write: ImageWrite,
    result: Embedding | Failure | None,
) -> bool:
    """A vector came with the document; a failure is told to it now."""
    if not isinstance(result, Failure):
        return result is not None
    source = (job.import_id, one.offset)
    return give_up_image(ports, job.tenant, one.sha256, write.place, result, source=source)


def _vectors(ports: Ports, good: Sequence[Arrival]) -> dict[str, Embedding | Failure]:
    """A few at a time; where the embedder breaks, the rest is left to the queue that bisects."""
    found: dict[str, Embedding | Failure] = {}
    for start in range(0, len(good), ports.batch):
        batch = good[start : start + ports.batch]
        try:
            results = ports.embedder.embed([one.data for one in batch], thumbnails=True)
        except Unavailable as error:
            _log.warning("%d pictures are left to the embed queue: %s", len(good) - start, error)
            break
        found.update(zip((one.sha256 for one in batch), results, strict=True))
    return found


def _write(
    ports: Ports,
    job: Import,
    pack: PackWriter,
    one: Arrival,
    result: Embedding | Failure | None,
    *,
    not_after: int,
) -> ImageWrite:
    header, place = _header(one.data), pack.add(one.data)
    if not isinstance(result, Embedding):
        size = (header.width, header.height)
        return ImageWrite(job.tenant, one.sha256, place, header.media_type, *size, not_after)
    return ImageWrite(
        tenant=job.tenant,
        sha256=one.sha256,
        place=place,
        media_type=header.media_type,
        width=result.width,
        height=result.height,
        not_after=not_after,
        phash=result.phash,
        thumbnail=None if result.thumbnail is None else pack.add(result.thumbnail),
        vectors=((ports.fingerprint, float16(result)),),
    )


def _flaw(data: bytes) -> Failure | None:
    try:
        sniff(data)
    except Invalid as error:
        return Failure(error.kind, error.detail)
    return None


def _header(data: bytes) -> Header:
    """Undecodable bytes have a document too, so that their reason has a place to stand."""
    try:
        return sniff(data)
    except Invalid:
        return _NO_PICTURE
