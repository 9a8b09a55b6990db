from collections.abc import Callable

import pytest

from shared.sources.bson import decode, encode, scan
from shared.sources.records import BadRecord, ChunkRange, Record

Piece = ChunkRange | BadRecord


@pytest.fixture
def scanned() -> Callable[..., list[Piece]]:
    """Scan bytes as if they were a file."""

    def scanned(data: bytes, *, start: int = 0, records: int = 64) -> list[Piece]:
        read = lambda offset, length: data[offset : offset + length]  # noqa: E731
        return list(scan(read, len(data), start=start, records=records))

    return scanned


@pytest.fixture
def read_all(
    scanned: Callable[..., list[Piece]],
) -> Callable[[bytes], list[Record | BadRecord]]:
    """Scan, then decode every range, as an import does."""

    def read_all(data: bytes) -> list[Record | BadRecord]:
        out: list[Record | BadRecord] = []
        for piece in scanned(data, records=3):
            if isinstance(piece, BadRecord):
                out.append(piece)
            else:
                chunk = data[piece.offset : piece.offset + piece.length]
                out.extend(decode(chunk, piece.offset))
        return out

    return read_all


@pytest.fixture
def records() -> list[bytes]:
    """Ten good records, numbered from 0."""
    return [
        encode(n, [b"\xff\xd8picture" * (n + 1)], category_id=1000 + n, extras={"title": f"n {n}"})
        for n in range(10)
    ]
