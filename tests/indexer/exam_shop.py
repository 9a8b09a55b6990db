"""A catalogue with two indexes, one of a good model and one of a bad one, made without embedding."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.indexer.ports import Ports
from services.indexer.sync import sync_shard
from shared.catalogue.images import ImageWrite
from shared.catalogue.products import ProductWrite
from shared.images import Place, sha256_of
from shared.indexes import Index
from shared.products import Attributes
from shared.spaces import Space, Spaces
from shared.tasks import SyncShard
from shared.vectors import to_bytes

SPACES = Spaces("f1", (Space("content", 8, "f1c"),))
OTHER = Spaces("f2", (Space("content", 8, "f2c"),))
PRODUCTS = 15


def stocked(ports: Ports, tenant: str) -> None:
    """`one`, which is live, and `two`, mostly noise; products of two photos in three categories."""
    for index_id, spaces in (("one", SPACES), ("two", OTHER)):
        index = Index(index_id, tenant, "model", spaces, 1, ("segments",), (), "ready", 0)
        ports.catalogue.indexes.create(index)
    ports.catalogue.indexes.move_alias(tenant, "live", "one")
    rng = np.random.default_rng(5)
    for number, place in enumerate(rng.standard_normal((PRODUCTS, 8))):
        vectors = [
            {
                "f1": _stored(place + 0.2 * rng.standard_normal(8)),
                "f2": _stored(place + 5.0 * rng.standard_normal(8)),
            }
            for _ in range(2)
        ]
        photos = [_photo(ports, tenant, f"photo {number}/{n}", v) for n, v in enumerate(vectors)]
        put(ports, tenant, f"product {number}", photos, f"Category {number % 3}")
    for index_id in ("one", "two"):
        sync_shard(ports, SyncShard(index_id, 0))


def put(ports: Ports, tenant: str, product_id: str, photos: Sequence[str], category: str) -> None:
    fresh = ports.targets.fresh(tenant)
    said = Attributes(title=product_id.title(), category=(category,))
    write = ProductWrite(
        *(tenant, product_id, said, tuple(photos)), targets=fresh.names, not_after=fresh.not_after
    )
    ports.catalogue.products.upsert([write])


def _stored(vector: Any) -> bytes:
    return to_bytes((vector / np.linalg.norm(vector)).astype(np.float32))


def _photo(ports: Ports, tenant: str, name: str, vectors: Mapping[str, bytes]) -> str:
    """Stored in one write, which keeps making a shop quick."""
    sha = sha256_of(name.encode())
    blob = f"tenants/{tenant}/pictures/{sha[:2]}/{sha}"
    ports.blobs.put(blob, name.encode())
    write = ImageWrite(
        *(tenant, sha, Place(blob, 0, len(name)), "image/jpeg", 8, 8),
        not_after=ports.catalogue.now() + 600_000,
        vectors=tuple(vectors.items()),
    )
    ports.catalogue.images.put([write])
    for fingerprint in vectors:
        ports.catalogue.images.announced(tenant, [sha], fingerprint)
    return sha
