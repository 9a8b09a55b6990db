"""What a reader shows of a shard: mapped segments, and which of their rows live."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shared.blobs.port import Blobs
from shared.errors import Conflict, NotFound
from shared.filters import Filter
from shared.index.accelerator import Found, Mask, Rows, nothing
from shared.index.columns import Bools
from shared.index.damage import DamagedSegment
from shared.index.liveness import Standing, ranges, settle
from shared.index.manifest import Manifest
from shared.index.segment import Segment
from shared.indexes import Pointer
from shared.products import Attributes
from shared.spaces import Spaces
from shared.vectors import Floats


@dataclass(frozen=True, slots=True)
class LiveProduct:
    """A product as the shard shows it; `vectors` has a line for each of `shas`."""

    product_id: str
    revision: int
    attributes: Attributes
    shas: tuple[str, ...]
    vectors: Floats


@dataclass(frozen=True, eq=False)
class SegmentView:
    """A segment beside the others; `winners` are those that speak for some of its rows."""

    segment: Segment
    standing: Standing
    winners: Mapping[str, Segment]

    @property
    def rows(self) -> int:
        return self.segment.rows

    @property
    def live(self) -> Bools:
        """By row."""
        return self.standing.live

    @cached_property
    def live_rows(self) -> int:
        return int(np.count_nonzero(self.live))

    @property
    def has_graph(self) -> bool:
        return self.segment.with_graph is not None

    @property
    def has_trees(self) -> bool:
        return self.segment.with_trees is not None

    def passing(self, condition: Filter | None) -> Mask:
        """Rows that live and whose product passes by its winning attributes."""
        if condition is None:
            return self.live
        mask = self.segment.matching_rows(condition) & self.live
        first_row = self.segment.first_row
        for name, (here, there) in self.standing.overrides.items():
            first, last = first_row[here], first_row[here + 1]
            passed = self.winners[name].matching(condition)[there]
            mask[ranges(first, last)] = np.repeat(passed, last - first)
        return mask

    def exact(self, query: Floats, k: int, rows: Mask) -> Found:
        """The nearest of these rows, which come from `passing`."""
        codes = self.segment.codes
        return nothing() if codes is None else codes.search(query, k, rows)

    def graph(self, query: Floats, k: int, ef: int, rows: Mask | None = None) -> Found:
        """Likely the nearest live rows, of these if any are given; perhaps fewer than k."""
        graph, codes = self.segment.with_graph, self.segment.codes
        if graph is None or codes is None:
            return nothing()
        if rows is None and self.live_rows < self.rows:
            rows = self.live
        return codes.among(query, k, graph.candidates(query, k, ef=ef, mask=rows))

    def trees(self, query: Floats, k: int) -> Found:
        """Of k likely rows the live ones; asking for more than is needed is the caller's."""
        trees, codes = self.segment.with_trees, self.segment.codes
        if trees is None or codes is None:
            return nothing()
        found = trees.candidates(query, k)
        return codes.among(query, k, found[self.live[found]])

    def hit(self, row: int) -> tuple[str, str]:
        """Product id and image of a row."""
        return next(self.hits(np.array([row])))

    def hits(self, rows: Rows) -> Iterator[tuple[str, str]]:
        """The same of many rows, in their order."""
        return self.segment.hits(rows)

    def vectors(self, rows: Rows) -> Floats:
        return self.segment.vectors(rows)

    def attributes(self, row: int) -> Attributes:
        """As the winner says."""
        segment, ordinal = self._winner(int(self.segment.product_of[row]))
        return segment.attributes(ordinal)

    def revision(self, row: int) -> int:
        """Of the winner."""
        segment, ordinal = self._winner(int(self.segment.product_of[row]))
        return int(segment.revision[ordinal])

    def _winner(self, ordinal: int) -> tuple[Segment, int]:
        for name, (here, there) in self.standing.overrides.items():
            place = int(np.searchsorted(here, ordinal))
            if place < len(here) and here[place] == ordinal:
                return self.winners[name], int(there[place])
        return self.segment, ordinal


@dataclass(frozen=True, eq=False)
class ShardView:
    """A shard at one generation; never changes, so a reader swaps one reference."""

    generation: int
    as_of: int
    spaces: Spaces
    segments: tuple[SegmentView, ...] = ()
    damaged: tuple[str, ...] = ()
    """Names of segments that were refused; the rest serves."""

    @cached_property
    def live_rows(self) -> int:
        return sum(view.live_rows for view in self.segments)

    @cached_property
    def dead_rows(self) -> int:
        return sum(view.rows for view in self.segments) - self.live_rows

    def product(self, product_id: str) -> LiveProduct | None:
        """As its winner says, with the rows that live; None when deleted or not there."""
        places = [(view, view.segment.find(product_id)) for view in self.segments]
        there = [(view, ordinal) for view, ordinal in places if ordinal is not None]
        winner = next(((v.segment, i) for v, i in there if v.standing.wins[i]), None)
        if winner is None or winner[0].deleted[winner[1]]:
            return None
        segment, ordinal = winner
        shas: tuple[str, ...] = ()
        vectors = np.empty((0, self.spaces.dim), dtype=np.float32)
        for view, i in there:
            if view.standing.bears[i]:
                shas = view.segment.images(i)
                vectors = view.vectors(view.segment.rows_of(i))
        return LiveProduct(
            product_id,
            int(segment.revision[ordinal]),
            segment.attributes(ordinal),
            shas,
            vectors,
        )

    def products(self) -> Iterator[tuple[str, int]]:
        """(product id, revision) of all that are not deleted, in no order; for audits."""
        for view in self.segments:
            segment = view.segment
            for i in np.flatnonzero(view.standing.wins & ~segment.deleted).tolist():
                yield segment.product_id(i), int(segment.revision[i])


def open_view(
    blobs: Blobs, pointer: Pointer, spaces: Spaces, previous: ShardView | None = None
) -> ShardView:
    """Opens what `previous` has not open already, and looks again at those products only."""
    if pointer.manifest is None:
        return ShardView(pointer.generation, pointer.as_of, spaces)
    manifest = _manifest(blobs, pointer.manifest)
    if manifest.spaces != spaces:
        raise Conflict(
            f"The manifest of shard {pointer.shard} is of another model; build the index anew.",
            code="foreign_index",
        )
    before = {view.segment.name: view for view in previous.segments} if previous else {}
    segments, damaged = [], []
    for ref in manifest.segments:
        try:
            known = before.get(ref.name)
            segments.append(known.segment if known else _admitted(Segment.open(ref, blobs), spaces))
        except DamagedSegment:
            damaged.append(ref.name)
    standings = settle(segments, [view.standing for view in before.values()])
    by_name = {segment.name: segment for segment in segments}
    views = tuple(SegmentView(s.segment, s, by_name) for s in standings)
    return ShardView(pointer.generation, pointer.as_of, spaces, views, tuple(damaged))


def _manifest(blobs: Blobs, key: str) -> Manifest:
    try:
        return Manifest.from_json(blobs.read(key))
    except NotFound as error:
        raise DamagedSegment(f"{key} is missing; rebuild the shard.") from error


def _admitted(segment: Segment, spaces: Spaces) -> Segment:
    if segment.columns.spaces != spaces:
        raise DamagedSegment(f"Segment {segment.name} holds vectors of another model.")
    return segment
