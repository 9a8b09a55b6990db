"""Products as documents: what a shop says of them, and what we keep beside it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

BUCKETS = 4096
MAX_IMAGES = 16
MAX_ID = 200

Scalar = str | int | float | bool
Backend = Literal["exact", "faiss", "annoy", "elasticsearch"]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a shop says of a product, apart from its pictures."""

    title: str = ""
    brand: str | None = None
    category: tuple[str, ...] = ()
    price: float | None = None
    currency: str | None = None
    in_stock: bool | None = None
    tags: tuple[str, ...] = ()
    url: str | None = None
    custom: Mapping[str, Scalar] = field(default_factory=dict)


class Date(NamedTuple):
    """When a write counts as made: the store's milliseconds, or (its import's creation, offset)."""

    at: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """The record of an import that a write comes from."""

    import_id: str
    created: int
    offset: int

    @property
    def date(self) -> Date:
        return Date(self.created, self.offset)


@dataclass(frozen=True, slots=True)
class Product:
    """A product's document. `pending` and `indexed` speak of targets, `index/segments` for instance."""

    tenant: str
    product_id: str
    attributes: Attributes
    images: tuple[str, ...]
    content_hash: str
    version: int
    revision: int
    images_revision: int
    deleted: bool
    date: Date
    written: int
    written_by: tuple[str, int] | None
    """(import, offset), or None for a request."""
    bucket: int
    urgent: bool = False
    indexed: Mapping[str, int] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()
    pending_since: int | None = None
    last_error: str | None = None


def is_product_id(text: str) -> bool:
    """1 to 200 printable characters without a slash."""
    return 1 <= len(text) <= MAX_ID and text.isprintable() and "/" not in text


def content_hash(attributes: Attributes, images: tuple[str, ...]) -> str:
    """The same for the same content, whatever the order of its JSON was."""
    # asdict would copy every value, which costs more than the text and its hash
    said = {name: getattr(attributes, name) for name in Attributes.__slots__}
    body = json.dumps([said, images], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def bucket_of(tenant: str, product_id: str) -> int:
    """Which of the 4096 buckets a product is in; shards and audits divide by buckets."""
    digest = hashlib.blake2b(f"{tenant}/{product_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS


def shard_of(bucket: int, shards: int) -> int:
    """Buckets are dealt out in contiguous ranges."""
    return bucket * shards // BUCKETS


def buckets_of(shard: int, shards: int) -> range:
    """The buckets that `shard_of` gives to this shard."""
    return range(-(-shard * BUCKETS // shards), -(-(shard + 1) * BUCKETS // shards))


def revision_digest(product_id: str, revision: int) -> int:
    """What a product adds to the digest of its bucket; sums of it are compared modulo 2**63."""
    digest = hashlib.blake2b(f"{product_id}:{revision}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
