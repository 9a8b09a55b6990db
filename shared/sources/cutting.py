"""Records put together into chunks, the same way in every format, and lines found in blocks."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from shared.sources.records import BadRecord, ChunkRange, Read

CHUNK_BYTES = 32 * 1024 * 1024
"""A chunk is closed early when its records are large: a worker holds it in memory."""
MAX_LINE_BYTES = 64 * 1024 * 1024

_BLOCK_BYTES = 1024 * 1024
_SPACE = 0x20


Stretch = tuple[int, list[int]]
"""Records that lie end to end: where the first begins, and where each of them ends."""

RowEnds = Callable[[bytes, bool], list[int]]
"""(block, whether the file ends with it) → where the rows end that are whole; blank ones belong to
the row that follows. The block begins with a row."""


def chunks(
    stretches: Iterable[Stretch | BadRecord], records: int
) -> Iterator[ChunkRange | BadRecord]:
    """Ranges of at most `records` records; what is bad lies between them, in order."""
    first = end = count = 0
    for stretch in stretches:
        if isinstance(stretch, BadRecord):
            if count:
                yield ChunkRange(first, end - first, count)
            count = 0
            yield stretch
            continue
        start, ends = stretch
        at = 0
        while at < len(ends):
            if not count:
                first = ends[at - 1] if at else start
            # Large records close a chunk early: found by bisection, not record by record.
            full = bisect_left(ends, first + CHUNK_BYTES, at) + 1
            until = min(at + records - count, full, len(ends))
            count += until - at
            end, at = ends[until - 1], until
            if count == records or until == full:
                yield ChunkRange(first, end - first, count)
                count = 0
    if count:
        yield ChunkRange(first, end - first, count)


def rows(
    read: Read, size: int, start: int, row_ends: RowEnds, *, newline: bytes = b"\n"
) -> Iterator[Stretch | BadRecord]:
    """A text file's rows, a block at a time; one that is longer than 64 MB is stepped over."""
    offset, block, final = start, b"", start >= size
    while not final:
        # Twice as much each time, so that a long row is not copied once a block.
        wanted = min(max(_BLOCK_BYTES, len(block)), size - offset - len(block))
        more = read(offset + len(block), wanted)
        block += more
        final = len(more) < wanted or offset + len(block) >= size
        ends = row_ends(block, final)
        length = ends[0] if ends else len(block)
        if length > MAX_LINE_BYTES:
            yield _too_long(offset)
            ends = [end - length for end in ends[1:]]
            offset, block = offset + length, block[length:]
            if not block and not final:
                offset = _next_line(read, offset, newline)
                final = offset >= size
        if ends:
            yield offset, [offset + end for end in ends]
            offset, block = offset + ends[-1], block[ends[-1] :]


def line_ends(block: bytes, final: bool, newline: bytes = b"\n") -> list[int]:  # noqa: FBT001
    """Where lines end that are not blank; the last one of a file needs no newline."""
    ends: list[int] = []
    first, find, note = 0, block.find, ends.append
    # Searching is faster than splitting, which copies and looks at each byte by itself.
    while (last := find(newline, first)) >= 0:
        if block[first] > _SPACE or block[first:last].strip():
            note(last + 1)
        first = last + 1
    if final and block[first:].strip():
        note(len(block))
    return ends


def _too_long(offset: int) -> BadRecord:
    limit = f"{MAX_LINE_BYTES // 2**20} MB"
    detail = f"The line at byte {offset:,} is longer than {limit}, the most that a record may have."
    return BadRecord(offset, "too_long", detail)


def _next_line(read: Read, offset: int, newline: bytes) -> int:
    """Where the line ends that an offset lies in, or the file."""
    while block := read(offset, _BLOCK_BYTES):
        at = block.find(newline)
        while at > 0 and at % len(newline):
            at = block.find(newline, at + 1)
        if at >= 0:
            return offset + at + len(newline)
        offset += len(block)
    return offset
