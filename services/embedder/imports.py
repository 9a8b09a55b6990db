"""An import's plan: its source divided into chunks, from wherever the plan stopped."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from typing import Final

from services.embedder.ports import Ports
from services.embedder.records import dead_record
from services.embedder.sources import opened
from shared.catalogue.settling import settle
from shared.errors import Forbidden, Invalid, NotFound
from shared.jobs import Chunk, Counters, Import
from shared.runtime.failpoints import reach
from shared.sources.bson import scan
from shared.sources.records import BadRecord, ChunkRange, Read
from shared.tasks import ImportChunk

_SAVED_TOGETHER: Final = 64
_AHEAD: Final = 16
"""Chunks that are rung for at most; the others are rung for as these are done."""


def plan_import(ports: Ports, import_id: str) -> None:
    """Go on planning, until the end, the limit, or somebody pauses the import."""
    job = ports.catalogue.imports.get(import_id)
    if job is None or job.state not in ("queued", "running"):
        return
    if job.state == "queued":
        ports.catalogue.imports.set_state(import_id, "running")
    try:
        if not job.planned:
            _plan(ports, job)
    except (NotFound, Invalid, Forbidden) as error:
        ports.catalogue.imports.set_state(import_id, "failed", error.detail)
        return
    ring_chunks(ports, import_id)
    settle(ports.catalogue, import_id)


def ring_chunks(ports: Ports, import_id: str) -> None:
    """So many that workers find some, so few that nothing urgent waits behind them."""
    free = _AHEAD - ports.queue.waiting("embed_bulk")
    for chunk in ports.catalogue.imports.waiting(import_id, free) if free > 0 else ():
        ports.queue.ring(ImportChunk(import_id, chunk.number))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the source: records, or what could not be read as such."""

    chunk: Chunk
    flaw: BadRecord | None = None

    @property
    def end(self) -> int:
        return self.chunk.offset + self.chunk.length


def _plan(ports: Ports, job: Import) -> None:
    # Chunks beyond `scanned` come from a planner that died; the same ones are found again.
    known = [c for c in ports.catalogue.imports.chunks(job.import_id) if c.offset < job.scanned]
    taken = sum(chunk.records for chunk in known)
    with opened(ports, job) as read:
        pieces = _pieces(read, job, ports.chunk_records, len(known))
        if job.limit is not None:
            pieces = _limited(read, pieces, job.limit - taken)
        for batch in _batches(pieces):
            _save(ports, job, batch)
            ring_chunks(ports, job.import_id)
            current = ports.catalogue.imports.get(job.import_id)
            if current is None or current.state != "running":
                return
    ports.catalogue.imports.planned(job.import_id, (), scanned=job.scanned, done=True)


def _save(ports: Ports, job: Import, batch: Sequence[_Piece]) -> None:
    for piece in batch:
        if piece.flaw is not None:
            dead_record(ports, job, piece.flaw)
    chunks = [piece.chunk for piece in batch]
    ports.catalogue.imports.planned(job.import_id, chunks, scanned=batch[-1].end, done=False)
    reach("embedder.planned")


def _pieces(read: Read, job: Import, records: int, first: int) -> Iterator[_Piece]:
    found = scan(read, job.size, start=job.scanned, records=records)
    ends: Iterator[ChunkRange | BadRecord | None] = chain(found, [None])
    for number, (piece, following) in enumerate(pairwise(ends), first):
        end = job.size if following is None else following.offset
        if isinstance(piece, ChunkRange):
            yield _Piece(Chunk(job.import_id, number, piece.offset, piece.length, piece.records))
        elif piece is not None:
            yield _Piece(
                _unreadable(job.import_id, number, piece.offset, end - piece.offset), piece
            )


def _unreadable(import_id: str, number: int, offset: int, length: int) -> Chunk:
    """Nobody has to work on it, but it was read and it failed, and counters have to balance."""
    failed = Counters(failed=1)
    return Chunk(import_id, number, offset, length, 1, state="done", counters=failed)


def _limited(read: Read, pieces: Iterable[_Piece], left: int) -> Iterator[_Piece]:
    """As many records as are left to the limit; the last chunk is cut."""
    for piece in pieces:
        if left <= 0:
            return
        chunk = piece.chunk
        yield piece if chunk.records <= left else _Piece(_cut(read, chunk, left))
        left -= chunk.records


def _cut(read: Read, chunk: Chunk, records: int) -> Chunk:
    pieces = scan(read, chunk.offset + chunk.length, start=chunk.offset, records=records)
    shorter = next(piece for piece in pieces if isinstance(piece, ChunkRange))
    return replace(chunk, length=shorter.length, records=shorter.records)


def _batches(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    while batch := list(islice(pieces, _SAVED_TOGETHER)):
        yield batch
