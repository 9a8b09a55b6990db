"""What is asked: the same questions of every model, drawn by lot where there are more than enough."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.indexer.exam.photos import NO_CATEGORY, Bools, Ints, Judged, Photos
from shared.spaces import SAME_PHOTO

MOST: Final = 5_000
"""Questions of a kind; more would not say more than noise does."""
NEAR: Final = 6
"""Bits that the perceptual hashes of one photo in two savings differ in at most."""
CROWD: Final = 4
"""A photo with more near hashes than this is a plain one, and its hash says nothing."""
LOOKED_AT: Final = 20_000
"""Photos whose hashes are compared with all others', in search of twins."""
_AT_ONCE: Final = 1 << 20
"""Hashes that one step compares, which is its memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """Photos that ask, each once, and by photo that asks what is marked of its answer."""

    asked: Ints
    """Positions of photos, rising."""
    siblings: Bools
    """Its product has another photo: is that found?"""
    alike: Bools
    """Its category has other products: how many of the nearest are of it?"""
    tails: Bools
    """The same, for the half of the categories that have the fewest products."""
    twins: Mapping[int, Ints]
    """By photo that asks: the same photo under other bytes. Is one of them the nearest?"""
    left_out: tuple[str, ...]
    """What is not asked, and why, a sentence each."""

    def __bool__(self) -> bool:
        return len(self.asked) > 0


def questions_of(sides: Sequence[Judged], most: int = MOST) -> Questions:
    """At most so many of each kind, for models that have vectors of the same photos."""
    photos = sides[0].photos
    several = np.flatnonzero(photos.counts[photos.product_of] > 1)
    firsts = np.arange(len(photos.products))
    comparable = _comparable(photos, firsts)
    siblings = _drawn(photos, several, most)
    alike = _drawn(photos, firsts[comparable], most)
    tails = _drawn(photos, firsts[comparable & _in_tail(photos)], most)
    twins = _twins(photos, sides, most)
    found = (siblings, alike, tails, np.array(sorted(twins), np.int64))
    asked = np.unique(np.concatenate(found))
    return Questions(
        asked,
        np.isin(asked, siblings),
        np.isin(asked, alike),
        np.isin(asked, tails),
        twins,
        tuple(why for kind, why in zip(found, _WHY, strict=True) if not len(kind)),
    )


_WHY: Final = (
    "No product has several photos, so none can be looked for by another.",
    "No two products share a category, so no neighbour can be of the right one.",
    "There are not two categories of several products, so there is no tail of small ones.",
    "No photo was found in two savings, so no duplicate can be looked for.",
)


def _drawn(photos: Photos, among: Ints, most: int) -> Ints:
    """So many by lot, and all where there are no more."""
    return among[np.argsort(photos.lots[among], kind="stable")[:most]]


def _comparable(photos: Photos, products: Ints) -> Bools:
    """Products of whose category there is another one."""
    category = photos.category_of[products]
    found: Bools = category != NO_CATEGORY
    found[found] = photos.sizes[category[found]] > 1
    return found


def _in_tail(photos: Photos) -> Bools:
    """By product: its category is in the lower half of those with several products."""
    several = np.flatnonzero(photos.sizes > 1)
    smallest = several[np.argsort(photos.sizes[several], kind="stable")]
    return np.isin(photos.category_of, smallest[: len(smallest) // 2])


def _twins(photos: Photos, sides: Sequence[Judged], most: int) -> dict[int, Ints]:
    """Photos of which another one is the same saved anew, by its hash and by a model's vectors."""
    found: dict[int, Ints] = {}
    for photo, near in _near(photos):
        alike = np.any([_alike(side, photo, near) for side in sides], axis=0)
        if alike.any():
            found[photo] = near[alike]
        if len(found) == most:
            break
    return found


def _near(photos: Photos) -> Iterator[tuple[int, Ints]]:
    """By lot, photos with those whose hash is near; none whose hash is a plain one's."""
    hashed = np.flatnonzero(photos.hashed)
    hashes = photos.phashes[hashed]
    looked_at = np.argsort(photos.lots[hashed], kind="stable")[:LOOKED_AT]
    step = max(1, _AT_ONCE // max(1, len(hashed)))
    for start in range(0, len(looked_at), step):
        these = looked_at[start : start + step]
        near = np.bitwise_count(hashes[these, None] ^ hashes[None, :]) <= NEAR
        near[np.arange(len(these)), these] = False
        counts = np.count_nonzero(near, axis=1)
        for row in np.flatnonzero((counts > 0) & (counts <= CROWD)):
            yield int(hashed[these[row]]), hashed[near[row]]


def _alike(judged: Judged, photo: int, others: Ints) -> Bools:
    """By `SAME_PHOTO`, as at an import's end; all are, for a model that has none of its spaces."""
    alike = np.ones(len(others), np.bool_)
    for name, part in judged.spaces.slices().items():
        if name in SAME_PHOTO:
            mine = judged.vectors[photo, part].astype(np.float32)
            alike &= judged.vectors[others, part].astype(np.float32) @ mine >= SAME_PHOTO[name]
    return alike
