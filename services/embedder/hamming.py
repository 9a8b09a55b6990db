"""Pairs of 64-bit hashes that differ in few bits, among millions, without comparing all with all.

Of `at_most + 3` blocks of bits at least three are the same in two hashes that differ in `at_most`
bits. So for every choice of three blocks the hashes are sorted by these, and only neighbours are
compared. Memory is some 100 bytes a hash; time grows with n log n, whatever the hashes are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]

KEPT: Final = 3
"""Blocks that are the same: 21 bits of six blocks more, so that ten million hashes share few of them."""
WINDOW: Final = 16
"""A hash is compared with so many neighbours in each sorted order; only crowds have more."""
PARTNERS: Final = 4
"""A hash is paired with so many neighbours in each sorted order."""
CROWD: Final = 1_000
"""Of pictures with one and the same hash so many are paired, fresh ones first: plain white is common."""
FEW: Final = 1 << 16
"""So many pairs are kept in any case; of more, as many as there are hashes."""
_LEAST_BLOCKS: Final = 9
_ORDERED_BY: Final = 5
"""Blocks that a crowd is sorted by, so that what is nearest stands together in it."""
_INDEX_BITS: Final = 28
"""Beside five of nine blocks, 36 bits at most, in a word of 64."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Positions, the smaller one first, and bits that differ; the nearest pairs come first."""

    first: Numbers
    second: Numbers
    distance: Numbers
    left_out: int
    """Hashes beyond `CROWD` that are the same, and pairs beyond what is kept, some of them twice."""

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.first.tolist(), self.second.tolist(), self.distance.tolist(), strict=True)

    def __len__(self) -> int:
        return len(self.first)


def pairs(
    hashes: Hashes,
    fresh: NDArray[np.bool_],
    at_most: int,
    between: Callable[[], object] = lambda: None,
) -> Pairs:
    """Pairs within `at_most` bits of which one is fresh; the nearest ones, three a hash at most.

    What has one and the same hash is a chain: each is paired with the one before it and with the
    first, a fresh one if there is any, and only the first with other hashes. So two that are not
    fresh are paired where their hash is near a fresh one. `between` is called every second or so.
    """
    newest_first = np.argsort(~fresh, kind="stable")
    order = newest_first[np.argsort(hashes[newest_first], kind="stable")]
    values, starts = np.unique(hashes[order], return_index=True)
    firsts = order[starts]
    near, dropped = _near(values, fresh[firsts], at_most, between)
    wanted = fresh[firsts]
    wanted[near.ravel()] = True
    same, crowded = _same(order, starts, wanted)
    found = np.concatenate([same, firsts[near]])
    found.sort(axis=1)
    distance = np.bitwise_count(hashes[found[:, 0]] ^ hashes[found[:, 1]]).astype(np.int64)
    nearest = np.lexsort((found[:, 1], found[:, 0], distance))
    first, second = found[nearest].T
    return Pairs(first, second, distance[nearest], crowded + dropped)


def _same(order: Numbers, starts: Numbers, wanted: NDArray[np.bool_]) -> tuple[Numbers, int]:
    """Pairs of equal hashes, and how many pictures stand too far back in a crowd for any."""
    sizes = np.diff(starts, append=len(order))
    first = np.repeat(starts, sizes)
    place = np.where(np.repeat(wanted, sizes), np.arange(len(order)) - first, 0)
    chained = np.flatnonzero((place >= 1) & (place < CROWD))
    starred = np.flatnonzero((place >= 2) & (place < CROWD))
    left = np.concatenate([chained - 1, first[starred]])
    right = np.concatenate([chained, starred])
    return np.stack([order[left], order[right]], axis=1), int((place >= CROWD).sum())


def _near(
    values: Hashes, fresh: NDArray[np.bool_], at_most: int, between: Callable[[], object]
) -> tuple[Numbers, int]:
    """Positions of pairs of unequal hashes, one a hash at most; and how many there were beyond."""
    blocks = _blocks(values, max(at_most + KEPT, _LEAST_BLOCKS))
    held = _Held(values)
    for kept in combinations(range(len(blocks)), KEPT):
        between()
        others = [number for number in range(len(blocks)) if number not in kept]
        ordered = [blocks[number] for number in (*kept, *others)][:_ORDERED_BY]
        held.add(_neighbours(values, fresh, ordered, at_most))
    found = held.nearest()
    return np.stack(_positions(found), axis=1), held.dropped


class _Held:
    """Pairs found so far, each perhaps many times over."""

    def __init__(self, values: Hashes) -> None:
        self.dropped = 0
        self._values = values
        self._most = max(len(values), FEW)
        self._codes: list[Hashes] = [np.empty(0, np.uint64)]

    def add(self, codes: Hashes) -> None:
        self._codes.append(codes)
        if sum(map(len, self._codes)) > 2 * self._most:
            self._codes = [self.nearest()]

    def nearest(self) -> Hashes:
        """Every hash keeps its nearest pair before any keeps its second."""
        codes = np.unique(np.concatenate(self._codes))
        excess = len(codes) - self._most
        if excess <= 0:
            return codes
        self.dropped += excess
        first, second = _positions(codes)
        distance = np.bitwise_count(self._values[first] ^ self._values[second])
        by_distance = np.lexsort((distance, first))
        starts = np.flatnonzero(np.diff(first[by_distance], prepend=-1))
        rank = np.arange(len(codes)) - np.repeat(starts, np.diff(starts, append=len(codes)))
        worst_last = np.argpartition(rank * 64 + distance[by_distance], -excess)
        return codes[by_distance[worst_last[:-excess]]]


@dataclass(frozen=True, slots=True)
class _Block:
    """Some bits of every hash."""

    bits: int
    values: NDArray[np.uint16]


def _blocks(values: Hashes, count: int) -> list[_Block]:
    ends = [64 * number // count for number in range(count + 1)]
    return [
        _Block(
            end - start,
            (values >> np.uint64(64 - end) & np.uint64((1 << (end - start)) - 1)).astype(np.uint16),
        )
        for start, end in pairwise(ends)
    ]


def _neighbours(
    values: Hashes, fresh: NDArray[np.bool_], blocks: Sequence[_Block], at_most: int
) -> Hashes:
    """Pairs as `first << 32 | second`, of hashes that share the first `KEPT` of the blocks."""
    kept = _shared(blocks[:KEPT], fresh)
    ordered = np.zeros(len(kept), np.uint64)
    for block in blocks:
        ordered = ordered << np.uint64(block.bits) | block.values[kept]
    ordered = ordered << np.uint64(_INDEX_BITS) | np.arange(len(kept), dtype=np.uint64)
    ordered.sort()
    where = kept[ordered & np.uint64((1 << _INDEX_BITS) - 1)]
    beside = sum(block.bits for block in blocks[KEPT:]) + _INDEX_BITS
    keys = (ordered >> np.uint64(beside)).astype(np.uint32)
    found, new = values[where], fresh[where]
    partners, codes = np.zeros(len(keys), np.uint8), [np.empty(0, np.uint64)]
    for step in range(1, WINDOW + 1):
        rows = np.flatnonzero(keys[step:] == keys[:-step])
        if not len(rows):
            break
        close = rows[np.bitwise_count(found[rows] ^ found[rows + step]) <= at_most]
        left = close[(new[close] | new[close + step]) & (partners[close] < PARTNERS)]
        partners[left] += 1
        codes.append(_coded(where[left], where[left + step]))
    return np.concatenate(codes)


def _shared(blocks: Sequence[_Block], fresh: NDArray[np.bool_]) -> Numbers:
    """Hashes that have these blocks in common with a fresh one."""
    if fresh.all():
        return np.arange(len(fresh))
    keys = np.zeros(len(fresh), np.uint32)
    for block in blocks:
        keys = keys << np.uint32(block.bits) | block.values
    wanted = np.zeros(1 << sum(block.bits for block in blocks), np.bool_)
    wanted[keys[fresh]] = True
    return np.flatnonzero(wanted[keys])


def _coded(one: Numbers, other: Numbers) -> Hashes:
    low, high = np.minimum(one, other), np.maximum(one, other)
    return low.astype(np.uint64) << np.uint64(32) | high.astype(np.uint64)


def _positions(codes: Hashes) -> tuple[Numbers, Numbers]:
    first, second = codes >> np.uint64(32), codes & np.uint64(0xFFFFFFFF)
    return first.astype(np.int64), second.astype(np.int64)
