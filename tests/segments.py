"""Segments out of entries in any order, with whatever speeds them up."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from shared.index.entries import Entry, place
from shared.index.segment import SegmentFiles, accelerate, write
from shared.spaces import Spaces


def written(
    entries: Iterable[Entry],
    spaces: Spaces,
    declared: Sequence[str],
    folder: Path,
    name: str,
    *,
    graph: bool = False,
    trees: bool = False,
) -> SegmentFiles:
    files = write(sorted(entries, key=place), spaces, declared, folder, name)
    return accelerate(files, graph=graph, trees=trees) if graph or trees else files
