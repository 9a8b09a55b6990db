"""A search as it crosses the seam between gateway and search, and what comes back."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, NamedTuple

from shared.errors import Conflict
from shared.filters import Filter
from shared.products import Backend
from shared.spaces import SpaceName

BackendChoice = Literal["auto"] | Backend
GroupBy = Literal["product", "image"]
DEFAULT_BLEND: Mapping[SpaceName, float] = {"content": 0.8, "style": 0.1, "colour": 0.1}


class Cursor(NamedTuple):
    """Where a page ended; good for any generation."""

    similarity: float
    product_id: str


@dataclass(frozen=True, slots=True)
class WeightedProduct:
    """A product as part of a query; a negative weight leads away from it."""

    product_id: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class WeightedVector:
    """A vector of all spaces (float32 bytes) as part of a query."""

    vector: bytes
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class FacetRequest:
    """Ask how many passing products have each value of a field, the `limit` most frequent."""

    field: str
    limit: int = 10


@dataclass(frozen=True, slots=True)
class FacetCount:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to look for: a vector of all spaces (float32 bytes), products and weighed vectors, in sum."""

    tenant: str
    index: str
    """An index id; aliases are resolved before."""
    fingerprint: str
    vector: bytes | None = None
    products: tuple[WeightedProduct, ...] = ()
    blend: Mapping[SpaceName, float] = field(default_factory=lambda: DEFAULT_BLEND)
    filter: Filter | None = None
    facets: tuple[FacetRequest, ...] = ()
    limit: int = 24
    after: Cursor | None = None
    min_similarity: float | None = None
    backend: BackendChoice = "auto"
    exact: bool = False
    group_by: GroupBy = "product"
    deadline_ms: int = 2_000
    leave_out: frozenset[str] = frozenset()
    """Products never answered; the products of the query are always left out."""
    parts: tuple[WeightedVector, ...] = ()
    """Products of the query whose vectors are known already; `vector` weighs one beside them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One product that looks alike, by its best image; `similarity` is the blended cosine."""

    product_id: str
    image: str
    similarity: float
    spaces: Mapping[SpaceName, float]
    revision: int


@dataclass(frozen=True, slots=True)
class ShardFailure:
    shard: int
    reason: str


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Hits by (similarity falling, id); `plan` says how each part of the index was searched."""

    hits: tuple[Hit, ...]
    backend: Backend
    plan: str
    rows_seen: int
    generation: int
    as_of: int
    """The store's milliseconds of the oldest shard pointer that was read."""
    shards_ok: int
    shards_failed: tuple[ShardFailure, ...] = ()
    facets: Mapping[str, tuple[FacetCount, ...]] = field(default_factory=dict)

    @property
    def partial(self) -> bool:
        return bool(self.shards_failed)


def merged(pages: Iterable[Sequence[Hit]], limit: int) -> tuple[Hit, ...]:
    """The first hits of several shards, no two of which hold the same product."""
    hits = sorted(chain.from_iterable(pages), key=lambda h: (-h.similarity, h.product_id, h.image))
    return tuple(hits[:limit])


def most_frequent(found: Mapping[str, int], limit: int) -> tuple[FacetCount, ...]:
    """The most frequent values first, then by value."""
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FacetCount(value, count) for value, count in ordered[:limit])


def plan_of(steps: Mapping[str, int]) -> str:
    """How often each step was gone, in words: `1 exact, 2 graph(ef=64)`."""
    return ", ".join(f"{count} {step}" for step, count in sorted(steps.items())) or "nothing"


def steps_of(plan: str) -> Counter[str]:
    """Back from the words."""
    steps: Counter[str] = Counter()
    for part in plan.split(", "):
        count, _, step = part.partition(" ")
        if count.isdecimal():
            steps[step] += int(count)
    return steps


def not_searchable(product_id: str, index: str) -> Conflict:
    """What a query gets that names a product without live rows."""
    return Conflict(
        f"Product {product_id!r} cannot be searched for: index {index!r} has no vector of it. "
        f"GET /v1/products/{product_id}/presence tells where it is.",
        code="product_not_searchable",
    )
