"""A sample that was interrupted: how much of it is there, and whether it is to be gone on with."""

from collections.abc import Callable
from pathlib import Path

from shared.sources.bson import scan
from shared.sources.records import ChunkRange, file_reader


def whole_records(path: Path, products: int, record: Callable[[int], bytes]) -> tuple[int, int]:
    """How many whole records the file begins with, at most `products`, and their bytes.

    None, unless its first and its last are byte for byte the `record` of their number: those of
    another seed, or of another version of the drawings, are of no use.
    """
    if not path.exists():
        return 0, 0
    with path.open("rb") as file:
        read = file_reader(file)
        first = last = None
        count = 0
        for piece in scan(read, path.stat().st_size, records=1):
            if count == products or not isinstance(piece, ChunkRange):
                break
            first, last, count = first or piece, piece, count + 1
        if first is None or last is None:
            return 0, 0
        ours = all(
            read(piece.offset, piece.length) == record(number)
            for piece, number in ((first, 0), (last, count - 1))
        )
    return (count, last.offset + last.length) if ours else (0, 0)
