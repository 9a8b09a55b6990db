"""From entries to a stored segment, in a folder that is gone afterwards."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from services.indexer.apart import merged_apart
from services.indexer.merging import Merging, merged
from services.indexer.ports import Ports
from shared.errors import Invalid
from shared.ids import ulid
from shared.index import segment
from shared.index.entries import Entry, place
from shared.index.files import paths_of
from shared.index.manifest import SegmentRef
from shared.index.segment import SegmentFiles
from shared.indexes import Index

DATA_ERRORS = (Invalid, ValueError, TypeError, OverflowError)
"""What a product that fits no column raises, other than a disk or a store in trouble."""


def stored(ports: Ports, index: Index, shard: int, entries: Sequence[Entry]) -> SegmentRef:
    """A segment under a fresh name; nobody sees its files before a commit names them."""
    with _folder(ports) as folder:
        return _store(ports, index, shard, _written(ports, index, entries, folder))


def stored_merged(
    ports: Ports,
    index: Index,
    shard: int,
    inputs: Sequence[SegmentRef],
    standing: Sequence[SegmentRef],
) -> tuple[SegmentRef | None, frozenset[str]]:
    """The inputs as one segment, if anything is left of them, and which products it forgets."""
    large = sum(ref.rows for ref in inputs) >= ports.limits.graph_from
    with _folder(ports) as folder:
        asked = Merging(
            inputs=tuple((ref, paths_of(ref, ports.blobs)) for ref in inputs),
            standing=tuple((ref, paths_of(ref, ports.blobs)) for ref in standing),
            spaces=index.spaces,
            declared=index.declared,
            now=ports.catalogue.now(),
            name=ulid(),
            graph_from=ports.limits.graph_from,
            trees=ports.limits.trees,
        )
        found = merged_apart(asked, folder) if large else merged(asked, folder)
        ref = _store(ports, index, shard, found.files) if found.files.products else None
    return ref, found.forgotten


def unwritable(ports: Ports, index: Index, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """(product id, why) of the entries that no segment can hold, found by halves."""
    try:
        with _folder(ports) as folder:
            _written(ports, index, entries, folder)
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
def _folder(ports: Ports) -> Iterator[Path]:
    ports.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ports.scratch) as folder:
        yield Path(folder)


def _written(ports: Ports, index: Index, entries: Sequence[Entry], folder: Path) -> SegmentFiles:
    ordered = sorted(entries, key=place)
    files = segment.write(ordered, index.spaces, index.declared, folder, ulid())
    if files.rows >= ports.limits.graph_from:
        files = segment.accelerate(files, trees=ports.limits.trees)
    return files


def _store(ports: Ports, index: Index, shard: int, files: SegmentFiles) -> SegmentRef:
    return segment.store(files, ports.blobs, index.tenant, index.index_id, shard)
