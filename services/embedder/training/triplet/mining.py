"""Which photos a batch holds, and which pairs of them belong together: from groups, or as told.

Photos have numbers. A group is a product, or a category where products have one photo each. `fresh`
is what is learnt; the rest is old, and a share of it is replayed in every batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.vectors import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rng = np.random.Generator
Shares = NDArray[np.float64]

REPLAYED: Final = 1 / 3
"""Share of a batch that is old, where there is anything old."""
_PAIR: Final = 2
"""Photos of a group that are looked at together; an odd one makes three."""
_HARD: Final = 3
"""Nearest of other groups that a pair is put beside."""
_POOL: Final = 1_000
"""Others that the nearest are looked for among; the nearest of very many are often mislabelled."""


@dataclass(frozen=True, eq=False)
class Batch:
    """`photos` by number; `positive[i, j]`: the i-th and the j-th belong together, `negative`: not."""

    photos: Ints
    positive: Bools
    negative: Bools


class Lessons(Protocol):
    """What a network is taught, in units: pairs of photos, or triplets."""

    def plan(self, vectors: Floats, rng: Rng, size: int) -> list[Ints]:
        """One pass over all that is fresh, each unit in one batch; `vectors` are those of all photos.

        Batches hold `size` photos or about as many; none is left out for being smaller.
        """
        ...

    def batch(self, members: Ints) -> Batch:
        """One line of a plan."""
        ...


@dataclass(frozen=True, eq=False)
class Groups:
    """Lessons mined from what belongs together; hard negatives are near ones of the same `field`.

    A field is a category where groups are products, and all photos where groups are categories.
    """

    numbers: Ints
    """The photos that are taught, by number."""
    groups: Ints
    fields: Ints
    fresh: Bools
    """These three of each of `numbers`."""

    def plan(self, vectors: Floats, rng: Rng, size: int) -> list[Ints]:
        units = self._units(rng)
        paired = np.array([len(unit) >= _PAIR for unit in units], bool)
        fresh = np.array([bool(self.fresh[unit].all()) for unit in units], bool)
        old = paired & ~fresh
        order = self._beside_the_near(units, paired & fresh, ~old, vectors, rng)
        return [
            self.numbers[np.concatenate([units[unit] for unit in batch])]
            for batch in dealt(order, rng.permutation(np.flatnonzero(old)), max(2, size // _PAIR))
        ]

    def batch(self, members: Ints) -> Batch:
        group = self.groups[self._place[members]]
        same = group[:, None] == group
        return Batch(members, same & ~np.eye(len(group), dtype=bool), ~same)

    @cached_property
    def _place(self) -> Ints:
        place = np.full(int(self.numbers.max()) + 1, -1, np.int64)
        place[self.numbers] = np.arange(len(self.numbers))
        return place

    def _units(self, rng: Rng) -> list[Ints]:
        """Every taught photo once, with one or two others of its group where it has some."""
        shuffled = rng.permutation(len(self.numbers))
        # What is fresh and what is old of one category are units of their own.
        whole = self.groups * 2 + self.fresh
        order = shuffled[np.argsort(whole[shuffled], kind="stable")]
        starts = np.flatnonzero(np.diff(whole[order])) + 1
        return [
            unit
            for group in np.split(order, starts)
            for unit in np.array_split(group, max(1, len(group) // _PAIR))
        ]

    def _beside_the_near(
        self, units: list[Ints], seeds: Bools, others: Bools, vectors: Floats, rng: Rng
    ) -> Ints:
        """Every seed once, each followed by the nearest `others` that nobody was put beside yet.

        Of other groups; what is old and has pairs is no other, for it is replayed in its own share.
        """
        firsts = np.array([unit[0] for unit in units])
        means = np.stack([vectors[self.numbers[unit]].mean(axis=0) for unit in units])
        group, field = self.groups[firsts], self.fields[firsts]
        waiting = {
            one: rng.permutation(np.flatnonzero(others & (field == one)))
            for one in np.unique(field)
        }
        used = np.zeros(len(units), bool)
        order: list[int] = []
        for seed in rng.permutation(np.flatnonzero(seeds)):
            if used[seed]:
                continue
            used[seed] = True
            left = waiting[field[seed]] = waiting[field[seed]][~used[waiting[field[seed]]]]
            pool = left[:_POOL]
            pool = pool[group[pool] != group[seed]]
            near = pool[np.argsort(-(means[pool] @ means[seed]), kind="stable")[:_HARD]]
            used[near] = True
            order.extend([int(seed), *map(int, near)])
        return np.array(order, np.int64)


@dataclass(frozen=True, eq=False)
class Told:
    """Lessons that somebody wrote down: each line of `triplets` is query, positive, negative."""

    triplets: Ints
    fresh: Bools
    """Of each triplet."""

    def plan(self, vectors: Floats, rng: Rng, size: int) -> list[Ints]:
        del vectors  # what is told is not chosen by nearness
        fresh = rng.permutation(np.flatnonzero(self.fresh))
        old = rng.permutation(np.flatnonzero(~self.fresh))
        return list(dealt(fresh, old, max(2, size // 3)))

    def batch(self, members: Ints) -> Batch:
        photos, told = np.unique(self.triplets[members], return_inverse=True)
        query, near, far = told.reshape(-1, 3).T
        positive = np.zeros((len(photos), len(photos)), bool)
        negative = positive.copy()
        positive[query, near] = True
        negative[query, far] = True
        return Batch(photos, positive & ~negative, negative & ~positive)


def dealt(fresh: Ints, old: Ints, size: int) -> Iterator[Ints]:
    """All of `fresh` in batches of nearly equal size, each with a share of `old`, which comes round."""
    replayed = min(len(old), max(1, round(size * REPLAYED))) if len(old) else 0
    if not len(fresh):
        return
    batches = np.array_split(fresh, -(-len(fresh) // max(1, size - replayed)))
    for number, batch in enumerate(batches):
        again = np.arange(number * replayed, (number + 1) * replayed) % max(1, len(old))
        yield np.concatenate([batch, old[again]])
