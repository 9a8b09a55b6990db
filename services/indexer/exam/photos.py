"""What an exam is taken on: photos, whose product each is of, and a model's vectors for them.

Photos lie by their place in their product: first all first photos, then all second ones, the
products with most photos first. So what a product's best photo is like is found over whole ranges.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import Invalid
from shared.spaces import Spaces

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
NO_CATEGORY = -1


@dataclass(frozen=True, slots=True)
class Taken:
    """One photo of a product; `phash` has 16 hexadecimal digits, or is None where none is known."""

    name: str
    product: str
    category: str = ""
    title: str = ""
    phash: str | None = None


@dataclass(frozen=True, eq=False)
class Photos:
    """Each photo once, as `arranged` lays them out; products and categories are numbered."""

    names: tuple[str, ...]
    products: tuple[str, ...]
    titles: tuple[str, ...]
    product_of: Ints
    """By photo."""
    categories: tuple[str, ...]
    category_of: Ints
    """By product, `NO_CATEGORY` where it has none."""
    phashes: NDArray[np.uint64]
    hashed: Bools
    """Which photos have a `phash`."""

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def counts(self) -> Ints:
        """Photos of each product; falls from product to product."""
        return np.bincount(self.product_of, minlength=len(self.products))

    @cached_property
    def sizes(self) -> Ints:
        """Products of each category."""
        known = self.category_of[self.category_of != NO_CATEGORY]
        return np.bincount(known, minlength=len(self.categories))

    @cached_property
    def lots(self) -> Ints:
        """By photo, an order that has nothing to do with what it shows, and is always the same."""
        return np.array([lot(name) for name in self.names], np.int64)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Where the photos of each place begin and how many there are: of the first so many products."""
        start = 0
        for place in range(int(self.counts.max(initial=0))):
            count = int(np.count_nonzero(self.counts > place))
            yield start, count
            start += count

    def category(self, photo: int) -> str:
        number = int(self.category_of[self.product_of[photo]])
        return "" if number == NO_CATEGORY else self.categories[number]


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """A model's vectors of all spaces, a row a photo; float16 as they are stored, half the memory."""

    photos: Photos
    spaces: Spaces
    vectors: NDArray[np.float16]


def lot(name: str) -> int:
    return zlib.crc32(name.encode())


def arranged(taken: Iterable[Taken]) -> Photos:
    """A photo that several products show counts once, as the first one's."""
    known: set[str] = set()
    by_product: dict[str, list[Taken]] = {}
    for one in taken:
        if one.name not in known:
            known.add(one.name)
            by_product.setdefault(one.product, []).append(one)
    products = sorted(by_product, key=lambda product: (-len(by_product[product]), product))
    placed = list(_placed([by_product[product] for product in products]))
    told = [by_product[product][0] for product in products]
    categories = sorted({one.category for one in told if one.category})
    number = {category: n for n, category in enumerate(categories)}
    return Photos(
        names=tuple(one.name for _, one in placed),
        products=tuple(products),
        titles=tuple(one.title for one in told),
        product_of=_ints(product for product, _ in placed),
        categories=tuple(categories),
        category_of=_ints(number.get(one.category, NO_CATEGORY) for one in told),
        phashes=np.array([int(one.phash or "0", 16) for _, one in placed], np.uint64),
        hashed=np.array([one.phash is not None for _, one in placed], np.bool_),
    )


def _placed(products: Sequence[Sequence[Taken]]) -> Iterator[tuple[int, Taken]]:
    deepest = len(products[0]) if products else 0
    for place in range(deepest):
        for number, photos in takewhile(
            lambda one, place=place: len(one[1]) > place,  # type: ignore[misc]
            enumerate(products),
        ):
            yield number, photos[place]


def _ints(numbers: Iterable[Any]) -> Ints:
    return np.fromiter(numbers, np.int64)


def judged(photos: Photos, spaces: Spaces, codes: Mapping[str, bytes]) -> Judged:
    """`codes` are little-endian float16 by photo's name; all photos are among them."""
    lengths = {len(codes[name]) for name in photos.names} - {2 * spaces.dim}
    if lengths:
        raise Invalid(
            f"Vectors of model {spaces.fingerprint} have {2 * spaces.dim} bytes, but some here have "
            f"{min(lengths)}: they are of another model. Embed the pictures again.",
            code="foreign_vectors",
        )
    vectors = np.empty((len(photos), spaces.dim), np.float16)
    for row, name in enumerate(photos.names):
        vectors[row] = np.frombuffer(codes[name], "<f2")
    if not np.isfinite(vectors).all():
        raise Invalid(
            f"Vectors of model {spaces.fingerprint} hold numbers that are not finite: the model is "
            "broken. `lookalike model test` tells more.",
            code="bad_vectors",
        )
    return Judged(photos, spaces, vectors)
