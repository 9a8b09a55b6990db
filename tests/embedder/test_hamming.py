"""Near hashes among many: the same answer as comparing all with all, in bounded time."""

import time
from collections import defaultdict
from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.embedder.hamming import CROWD, Pairs, pairs

AT_MOST = 6
bits = st.integers(0, 63)


@st.composite
def hashes_and_fresh(draw: st.DrawFn) -> tuple[list[int], list[bool]]:
    """Some hashes far from each other, and others that differ from them in a few bits."""
    found = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4))
    for _ in range(draw(st.integers(0, 10))):
        changed = draw(st.sampled_from(found))
        for bit in draw(st.sets(bits, max_size=8)):
            changed ^= 1 << bit
        found.append(changed)
    return found, draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))


def looked_for(hashes: list[int], fresh: list[bool], at_most: int = AT_MOST) -> Pairs:
    return pairs(np.array(hashes, np.uint64), np.array(fresh, np.bool_), at_most)


def joined(edges: Any, fresh: list[bool]) -> set[frozenset[int]]:
    """What hangs together and has a fresh member."""
    group = {number: {number} for number in range(len(fresh))}
    for one, other in edges:
        whole = group[one] | group[other]
        group.update(dict.fromkeys(whole, whole))
    return {frozenset(g) for g in group.values() if len(g) > 1 and any(fresh[n] for n in g)}


@settings(max_examples=150, deadline=None)
@given(hashes_and_fresh(), st.integers(0, 8))
def test_what_hangs_together_is_what_comparing_all_with_all_finds(
    drawn: tuple[list[int], list[bool]], at_most: int
) -> None:
    hashes, fresh = drawn
    near = [
        (i, j)
        for i, j in combinations(range(len(hashes)), 2)
        if hashes[i] == hashes[j]
        or ((fresh[i] or fresh[j]) and (hashes[i] ^ hashes[j]).bit_count() <= at_most)
    ]
    found = looked_for(hashes, fresh, at_most)
    assert joined(((i, j) for i, j, _ in found), fresh) == joined(near, fresh)


@settings(max_examples=100, deadline=None)
@given(hashes_and_fresh())
def test_every_pair_is_told_once_with_its_distance_the_nearest_first(
    drawn: tuple[list[int], list[bool]],
) -> None:
    hashes, fresh = drawn
    found = list(looked_for(hashes, fresh))
    assert all(i < j and (hashes[i] ^ hashes[j]).bit_count() == d for i, j, d in found)
    assert all(d <= AT_MOST for _, _, d in found)
    assert all(fresh[i] or fresh[j] for i, j, d in found if d)
    assert len({(i, j) for i, j, _ in found}) == len(found)
    assert [d for *_, d in found] == sorted(d for *_, d in found)


def test_nothing_is_near_where_nothing_is() -> None:
    assert len(looked_for([], [])) == 0
    assert len(looked_for([5, 5, 4], [False, False, False])) == 0


def test_what_was_there_and_is_alike_is_not_told_again() -> None:
    far = 0xFFFF_FFFF << 20
    found = looked_for([0b1, 0b11, far, far + 1], [False, False, False, True])
    assert list(found) == [(2, 3, 1)]


def planted(count: int) -> Any:
    """Random hashes; the last hundred differ from the first hundred in six bits, spread out."""
    hashes = np.random.default_rng(4).integers(0, 2**63, count).astype(np.uint64)
    for bit in (3, 14, 25, 36, 47, 58):
        hashes[-100:] = (hashes[:100] if bit == 3 else hashes[-100:]) ^ np.uint64(1 << bit)
    return hashes


def test_a_crowd_of_plain_pictures_costs_no_more_than_any_others() -> None:
    """A third is one and the same hash, a third differs from another in three bits at most."""
    count, third = 60_000, 20_000
    hashes, rng = planted(count), np.random.default_rng(5)
    begun = time.perf_counter()
    pairs(hashes, np.ones(count, np.bool_), AT_MOST)
    alone = time.perf_counter() - begun
    hashes[200 : 200 + third] = 1 << 63
    crowd = np.full(third, 0xF0F0AA5533CC1234, np.uint64)
    for _ in range(3):
        crowd ^= np.uint64(1) << rng.integers(0, 64, third).astype(np.uint64)
    hashes[200 + third : 200 + 2 * third] = crowd
    begun = time.perf_counter()
    found = pairs(hashes, np.ones(count, np.bool_), AT_MOST)
    assert time.perf_counter() - begun < 20 * alone + 2
    assert len(found) <= 3 * count
    assert found.left_out >= third - CROWD
    partners = defaultdict(set)
    for first, second, _ in found:
        partners[first].add(second)
    assert all(count - 100 + number in partners[number] for number in range(100))
