"""Doorbells after a write, best effort: what is pending is found without them, only later."""

from collections.abc import Iterable, Iterator, Mapping

from services.gateway.ports import Ports
from shared.images import Image
from shared.indexes import Index
from shared.products import Product, shard_of
from shared.tasks import EmbedImages, Task, syncs_of

_IMAGES_A_RING = 64


def ring_for(
    ports: Ports, tenant: str, products: Iterable[Product], images: Mapping[str, Image]
) -> None:
    """Pictures without vectors, then the shards of the products; a dead queue is asked once."""
    products = list(products)
    for index in ports.catalogue.indexes.all(tenant):
        for task in (*_embedding(index, tenant, images), *_syncing(index, products)):
            if not ports.queue.ring(task):
                return


def _embedding(index: Index, tenant: str, images: Mapping[str, Image]) -> Iterator[Task]:
    fingerprint = index.spaces.fingerprint
    lacking = [sha for sha, image in images.items() if fingerprint not in image.vectors]
    for start in range(0, len(lacking), _IMAGES_A_RING):
        yield EmbedImages(fingerprint, tenant, tuple(lacking[start : start + _IMAGES_A_RING]))


def _syncing(index: Index, products: Iterable[Product]) -> Iterator[Task]:
    for shard in sorted({shard_of(product.bucket, index.shards) for product in products}):
        yield from syncs_of(index, shard)
