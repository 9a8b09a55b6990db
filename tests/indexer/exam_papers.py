"""Small catalogues drawn at random, and the exam's figures worked out in plain Python."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.indexer.exam.photos import Judged, Photos, Taken, arranged, judged
from shared.spaces import Space, SpaceName, Spaces
from shared.vectors import Floats, to_bytes, unit_spaces

SPACES = Spaces("fp", (Space("content", 6, "c"), Space("style", 4, "s"), Space("colour", 3, "k")))
WEIGHTS: dict[SpaceName, float] = {"content": 0.8, "style": 0.1, "colour": 0.1}


@dataclass(frozen=True, slots=True)
class Paper:
    """Photos by name, with a vector each."""

    taken: tuple[Taken, ...]
    vectors: dict[str, Floats]

    def judged(self) -> Judged:
        codes = {name: to_bytes(vector) for name, vector in self.vectors.items()}
        return judged(arranged(self.taken), SPACES, codes)


def paper(
    photos_of: Sequence[int],
    categories: Sequence[str],
    *,
    seed: int = 0,
    spread: float = 1.0,
) -> Paper:
    """A product for each number, of so many photos; these lie `spread` around the product's own place."""
    rng = np.random.default_rng(seed)
    taken, vectors = [], {}
    for number, (count, category) in enumerate(zip(photos_of, categories, strict=True)):
        place = rng.standard_normal(SPACES.dim)
        for photo in range(count):
            name = f"photo-{number}-{photo}"
            taken.append(Taken(name, f"product-{number}", category, f"Thing {number}"))
            vectors[name] = _unit(place + spread * rng.standard_normal(SPACES.dim))
    return Paper(tuple(taken), vectors)


def shop(products: int = 60, seed: int = 0, spread: float = 0.3) -> Paper:
    """Every product with two or three photos, in categories of different sizes."""
    categories = [f"category {int(np.sqrt(number))}" for number in range(products)]
    return paper(
        [2 + number % 2 for number in range(products)], categories, seed=seed, spread=spread
    )


def noisy(before: Paper, much: float, seed: int = 1) -> Paper:
    """The same photos by a worse model."""
    rng = np.random.default_rng(seed)
    moved = {
        name: _unit(vector + much * rng.standard_normal(SPACES.dim))
        for name, vector in before.vectors.items()
    }
    return Paper(before.taken, moved)


def _unit(vector: NDArray[Any]) -> Floats:
    """As it is stored, so that both sides compute with the same numbers."""
    whole = unit_spaces(vector.astype(np.float32), SPACES)
    return whole.astype(np.float16).astype(np.float32)


class Plainly:
    """Every photo asks; one way of looking."""

    def __init__(self, given: Judged, way: str) -> None:
        self.photos: Photos = given.photos
        vectors = given.vectors.astype(np.float64)
        parts = given.spaces.slices()
        blended = sum(
            (WEIGHTS[name] if way == "blend" else float(name == way))
            * vectors[:, part]
            @ vectors[:, part].T
            for name, part in parts.items()
        )
        self.similarity: list[list[float]] = np.asarray(blended).tolist()
        self.product = [int(number) for number in self.photos.product_of]
        self.category = [int(self.photos.category_of[number]) for number in self.product]

    def figure(self, name: str) -> float:
        firsts = range(len(self.photos.products))
        match name:
            case "same_product_first":
                return self.same_product(1)
            case "same_product_in_10":
                return self.same_product(10)
            case "category_precision_at_10":
                return mean(chain(*self.category_precision(firsts).values()))
            case _:
                return self.tail(firsts)

    def same_product(self, within: int) -> float:
        """Mean over products of the share of their photos that find another one of theirs."""
        found = defaultdict(list)
        for photo, product in enumerate(self.product):
            if self.product.count(product) > 1:
                ranked = self._products(photo)
                found[product].append(product in ranked[:within])
        return mean(map(mean, found.values()))

    def category_precision(self, photos: Iterable[int]) -> dict[int, list[float]]:
        """By category, of the first photos of these products."""
        found = defaultdict(list)
        for photo in photos:
            category, own = self.category[photo], self.product[photo]
            others = [p for p in range(len(self.photos.products)) if p != own]
            mates = sum(int(self.photos.category_of[p]) == category for p in others)
            if category >= 0 and mates:
                near = [p for p in self._products(photo) if p != own][:10]
                right = sum(int(self.photos.category_of[p]) == category for p in near)
                found[category].append(right / min(10, mates))
        return found

    def tail(self, photos: Sequence[int]) -> float:
        by_category = self.category_precision(photos)
        sizes = [list(self.photos.category_of).count(c) for c in range(len(self.photos.categories))]
        several = sorted(
            (c for c, size in enumerate(sizes) if size > 1), key=lambda c: (sizes[c], c)
        )
        return mean(mean(by_category[c]) for c in several[: len(several) // 2])

    def _products(self, photo: int) -> list[int]:
        """By their best photo, the asking one left out."""
        best: dict[int, float] = {}
        for other, product in enumerate(self.product):
            if other != photo:
                best[product] = max(best.get(product, -2.0), self.similarity[photo][other])
        return sorted(best, key=lambda product: -best[product])
