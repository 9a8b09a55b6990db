"""From entries to a stored segment; which accelerators it gets is decided here alone."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from services.indexer.ports import Ports
from shared.errors import Invalid
from shared.ids import ulid
from shared.index import segment
from shared.index.entries import Entry
from shared.index.manifest import SegmentRef
from shared.indexes import Index

DATA_ERRORS = (Invalid, ValueError, TypeError, OverflowError)
"""What a product that fits no column raises, other than a disk or a store in trouble."""


def stored(ports: Ports, index: Index, shard: int, entries: Sequence[Entry]) -> SegmentRef:
    """A segment under a fresh name; nobody sees its files before a commit names them."""
    with _written(ports, index, entries) as files:
        return segment.store(files, ports.blobs, index.tenant, index.index_id, shard)


def unwritable(ports: Ports, index: Index, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """(product id, why) of the entries that no segment can hold, found by halves."""
    try:
        with _written(ports, index, entries):
            return
    except DATA_ERRORS as error:
        reason = f"It fits no segment: {error}"
    if len(entries) == 1:
        yield entries[0].product_id, reason
        return
    middle = len(entries) // 2
    yield from unwritable(ports, index, entries[:middle])
    yield from unwritable(ports, index, entries[middle:])


@contextmanager
def _written(
    ports: Ports, index: Index, entries: Sequence[Entry]
) -> Iterator[segment.SegmentFiles]:
    big = sum(len(entry.rows) for entry in entries) >= ports.limits.graph_from
    ports.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ports.scratch) as folder:
        yield segment.write(
            entries,
            index.spaces,
            index.declared,
            Path(folder),
            ulid(),
            graph=big,
            trees=big and ports.limits.trees,
        )
