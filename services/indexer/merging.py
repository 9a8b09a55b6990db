"""Segments of a shard into the files of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.index import segment
from shared.index.entries import merge
from shared.index.manifest import FileKind, SegmentRef
from shared.index.segment import Segment, SegmentFiles
from shared.spaces import Spaces

Placed = tuple[SegmentRef, Mapping[FileKind, Path]]
"""A segment and where its files lie on this machine."""


@dataclass(frozen=True, slots=True)
class Merging:
    """What is merged, beside which segments, and from how many rows on it gets a graph."""

    inputs: tuple[Placed, ...]
    standing: tuple[Placed, ...]
    spaces: Spaces
    declared: tuple[str, ...]
    now: int
    name: str
    graph_from: int
    trees: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """The files, and the products that are in the inputs and not in them."""

    files: SegmentFiles
    forgotten: frozenset[str]


def merged(asked: Merging, folder: Path) -> Merged:
    """Written into the folder; the inputs are read a block at a time."""
    standing = opened(asked.standing)
    forgotten: set[str] = set()
    # rule: tombstone_age
    # rule: tombstone_alone
    entries = merge(
        [one.entries() for one in opened(asked.inputs)],
        lambda product_id: knows(standing, product_id),
        asked.now,
        forgotten=forgotten,
    )
    files = segment.write(entries, asked.spaces, asked.declared, folder, asked.name)
    if files.rows >= asked.graph_from:
        files = segment.accelerate(files, trees=asked.trees)
    return Merged(files, frozenset(forgotten))


def opened(segments: Sequence[Placed]) -> list[Segment]:
    return [Segment.at(ref, paths) for ref, paths in segments]


def knows(segments: Sequence[Segment], product_id: str) -> bool:
    return any(one.find(product_id) is not None for one in segments)
