"""Batches: every photo in one of each pass, the near beside each other, the old among the new."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.embedder.training.triplet.mining import Groups, Ints, Told, dealt
from shared.vectors import Floats

SIZE = 8


def _vectors(count: int, seed: int = 1) -> Floats:
    vectors = np.random.default_rng(seed).standard_normal((count, 6)).astype(np.float32)
    units: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def _groups(sizes: list[int], fields: list[int], old: int = 0) -> Groups:
    """Groups of these sizes, each of its field; the first `old` groups are old. Numbers are odd."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return Groups(
        numbers=np.arange(len(groups)) * 2 + 1,
        groups=groups,
        fields=np.array(fields)[groups],
        fresh=groups >= old,
    )


def _plan(lessons: Groups, seed: int, vectors: Floats | None = None) -> list[Ints]:
    count = 2 * len(lessons.numbers) + 1
    known = _vectors(count) if vectors is None else vectors
    return lessons.plan(known, np.random.default_rng(seed), SIZE)


@given(
    sizes=st.lists(st.integers(2, 7), min_size=2, max_size=20),
    seed=st.integers(0, 2**31),
    fields=st.integers(1, 3),
)
def test_a_pass_shows_every_photo_once(sizes: list[int], seed: int, fields: int) -> None:
    lessons = _groups(sizes, [number % fields for number in range(len(sizes))])
    plan = _plan(lessons, seed)
    assert sorted(np.concatenate(plan)) == lessons.numbers.tolist()
    lengths = [len(batch) for batch in plan]
    assert min(lengths) >= 2, "the last batch is none of one photo, nor dropped"
    assert max(lengths) <= SIZE // 2 * 3


@given(sizes=st.lists(st.integers(2, 5), min_size=1, max_size=9), seed=st.integers(0, 2**31))
def test_every_photo_that_is_taught_has_one_that_belongs_to_it(sizes: list[int], seed: int) -> None:
    lessons = _groups(sizes, [0] * len(sizes))
    for members in _plan(lessons, seed):
        batch = lessons.batch(members)
        assert batch.photos.tolist() == members.tolist()
        assert batch.positive.any(axis=1).all()
        assert not (batch.positive & batch.negative).any()
        assert not batch.positive.diagonal().any()
        assert not batch.negative.diagonal().any()
        group = {number: lessons.groups[n] for n, number in enumerate(lessons.numbers.tolist())}
        for i, one in enumerate(members.tolist()):
            for j, other in enumerate(members.tolist()):
                assert batch.negative[i, j] == (group[one] != group[other])


def test_one_seed_gives_one_plan_and_another_gives_another() -> None:
    lessons = _groups([3] * 30, [0, 1] * 15)
    first, again, other = (np.concatenate(_plan(lessons, seed)).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_near_of_the_same_field_are_in_one_batch() -> None:
    """Of 32 groups in two fields, groups 2n and 2n + 1 are near twins, so is one of the other field."""
    groups = 32
    vectors = np.zeros((2 * 2 * groups + 1, 3), np.float32)
    angle = np.repeat(np.arange(groups) // 2 * 0.3, 2)
    vectors[1::2] = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], 1)
    lessons = _groups([2] * groups, [number // 16 for number in range(groups)])
    beside = 0
    for members in _plan(lessons, 5, vectors):
        group = lessons.groups[members // 2]
        beside += sum(one ^ 1 in group for one in group)
        assert len(np.unique(group)) == SIZE // 2
    assert beside >= 0.7 * 2 * groups, "by chance it would be a tenth"


def test_single_photos_come_only_as_hard_negatives() -> None:
    lessons = _groups([2] * 4 + [1] * 40, [0] * 44)
    for members in _plan(lessons, 3):
        assert lessons.batch(members).positive.any()


@given(fresh=st.integers(1, 40), old=st.integers(0, 20), size=st.integers(2, 12))
def test_every_batch_replays_a_share_of_the_old(fresh: int, old: int, size: int) -> None:
    new, known = np.arange(fresh), np.arange(100, 100 + old)
    batches = list(dealt(new, known, size))
    assert sorted(unit for batch in batches for unit in batch if unit < 100) == new.tolist()
    again = [[unit for unit in batch if unit >= 100] for batch in batches]
    if not old:
        assert not any(again)
        return
    share = min(old, max(1, round(size / 3)))
    assert all(len(some) == share == len(set(some)) for some in again)
    assert max(len(batch) for batch in batches) <= max(size, share + 1)
    if 2 * share <= old:
        assert all(not set(one) & set(other) for one, other in pairwise(again)), "it comes round"


def test_old_photos_are_replayed_beside_every_new_one() -> None:
    lessons = _groups([3] * 20, [0] * 20, old=10)
    new = set(lessons.numbers[lessons.fresh].tolist())
    plan = _plan(lessons, 4)
    seen = [number for batch in plan for number in batch.tolist()]
    assert sorted(number for number in seen if number in new) == sorted(new)
    for batch in plan:
        assert 0.1 < np.mean([number not in new for number in batch.tolist()]) < 0.5


def test_told_triplets_are_each_in_one_batch_and_say_only_what_they_say() -> None:
    triplets = np.array([[0, 1, 2], [0, 3, 4], [5, 1, 0], [6, 7, 8], [2, 9, 0]])
    lessons = Told(triplets, np.ones(5, bool))
    plan = lessons.plan(_vectors(10), np.random.default_rng(1), SIZE)
    assert sorted(np.concatenate(plan)) == [0, 1, 2, 3, 4]
    batch = lessons.batch(np.array([0, 1, 4]))
    assert batch.photos.tolist() == [0, 1, 2, 3, 4, 9]
    assert np.argwhere(batch.positive).tolist() == [[0, 1], [0, 3], [2, 5]]
    assert np.argwhere(batch.negative).tolist() == [[0, 2], [0, 4], [2, 0]]


def test_what_two_triplets_say_against_each_other_says_nothing() -> None:
    batch = Told(np.array([[0, 1, 2], [0, 2, 1]]), np.ones(2, bool)).batch(np.array([0, 1]))
    assert not batch.positive.any()
    assert not batch.negative.any()


@pytest.mark.parametrize("old", [0, 3])
def test_what_has_nothing_new_has_no_plan(old: int) -> None:
    assert not list(dealt(np.empty(0, np.int64), np.arange(old), SIZE))


def test_a_pair_is_put_beside_other_groups_not_beside_more_of_its_own() -> None:
    """Whose photos are all alike, and so the nearest of all."""
    lessons = _groups([8] * 6, [0] * 6)
    vectors = np.zeros((2 * 48 + 1, 6), np.float32)
    vectors[lessons.numbers, lessons.groups] = 1
    different = [
        len(np.unique(lessons.groups[members // 2])) for members in _plan(lessons, 1, vectors)
    ]
    assert np.mean(different) > 2.5
