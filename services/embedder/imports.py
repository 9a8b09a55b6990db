"""An import's plan: its source divided into chunks, from wherever the plan stopped."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from typing import Final

from services.embedder.ending import finish_import, stop_at_failure
from services.embedder.letters import put_records
from services.embedder.ports import Ports
from services.embedder.sources import Feed, opened
from services.embedder.staged import ensure_staged
from services.embedder.turn import Turn
from shared.errors import Forbidden, Invalid, NotFound
from shared.jobs import Chunk, Counters, Import
from shared.runtime.failpoints import reach
from shared.sources.formats import dialect_of
from shared.sources.records import BadRecord, ChunkRange
from shared.tasks import ImportChunk

_SAVED_TOGETHER: Final = 64
_AHEAD: Final = 16
"""Chunks that are rung for at most; the others are rung for as these are done."""


def plan_import(ports: Ports, import_id: str) -> None:
    """Go on planning, until the end, the limit, or somebody pauses the import."""
    turn = Turn(ports, "plan", import_id)
    job = ports.catalogue.imports.get(import_id)
    if job is None or job.state not in ("queued", "running") or not turn.hold():
        return
    try:
        ports.catalogue.imports.set_state(import_id, "running", origins=("queued",))
        if not job.planned and (ready := ensure_staged(ports, job, turn.goes_on)) is not None:
            _plan(ports, ready, turn)
    except (NotFound, Invalid, Forbidden) as error:
        ports.catalogue.imports.set_state(import_id, "failed", error.detail, origins=("running",))
        return
    finally:
        turn.release()
    ring_chunks(ports, import_id)
    finish_import(ports, import_id)


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


def _plan(ports: Ports, job: Import, turn: Turn) -> None:
    with opened(ports, job) as feed:
        if job.format == "csv" and "dialect" not in job.findings:
            dialect = dialect_of("csv", feed.read, feed.size)
            ports.catalogue.imports.note(job.import_id, {"dialect": dialect})
        pieces = _pieces(feed, job, ports.chunk_records)
        if job.options.limit is not None:
            pieces = _limited(feed, pieces, job.options.limit - job.records)
        for batch in _batches(pieces):
            _save(ports, job, batch)
            ring_chunks(ports, job.import_id)
            if not turn.goes_on():
                return
    ports.catalogue.imports.planned_wholly(job.import_id)


def _save(ports: Ports, job: Import, batch: Sequence[_Piece]) -> None:
    flaws = [piece.flaw for piece in batch if piece.flaw is not None]
    put_records(ports, job, flaws)
    chunks = [piece.chunk for piece in batch]
    ports.catalogue.imports.planned(job.import_id, chunks, scanned=batch[-1].end)
    reach("embedder.planned")
    if flaws:
        stop_at_failure(ports, job, flaws[0].detail)


def _pieces(feed: Feed, job: Import, records: int) -> Iterator[_Piece]:
    # Chunks beyond `scanned` come from a planner that died; the same ones are found again.
    found = feed.format.scan(feed.read, feed.size, start=job.scanned, records=records)
    ends: Iterator[ChunkRange | BadRecord | None] = chain(found, [None])
    for number, (piece, following) in enumerate(pairwise(ends), job.chunks):
        end = feed.size if following is None else following.offset
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


def _limited(feed: Feed, pieces: Iterable[_Piece], left: int) -> Iterator[_Piece]:
    """As many records as are left to the limit; the last chunk is cut."""
    for piece in pieces:
        if left <= 0:
            return
        chunk = piece.chunk
        yield piece if chunk.records <= left else _Piece(_cut(feed, chunk, left))
        left -= chunk.records


def _cut(feed: Feed, chunk: Chunk, records: int) -> Chunk:
    pieces = feed.format.scan(
        feed.read, chunk.offset + chunk.length, start=chunk.offset, records=records
    )
    shorter = next(piece for piece in pieces if isinstance(piece, ChunkRange))
    return replace(chunk, length=shorter.length, records=shorter.records)


def _batches(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    while batch := list(islice(pieces, _SAVED_TOGETHER)):
        yield batch
