"""A vector arriving, or a final failure, is a change of every product that shows the image.

Images that come together are announced together: a product that shows several is bumped once.
"""

from collections.abc import Collection

from services.embedder.ports import Ports
from shared.products import BUCKETS, shard_of
from shared.runtime.failpoints import reach
from shared.tasks import syncs_of


def announce(ports: Ports, tenant: str, sha256s: Collection[str], fingerprint: str) -> bool:
    """Bump the images' products, each once, then say so in the images.

    False when the targets were too old by then: the images stay claimable, and whoever claims them
    next has only this left to do.
    """
    if not sha256s:
        return True
    fresh = ports.targets.fresh(tenant)
    bumped = ports.catalogue.products.bump_showing(  # rule: arrival_bumps
        tenant, sha256s, targets=fresh.names, not_after=fresh.not_after
    )
    if bumped is None:
        return False
    reach("embedder.bumped")
    ports.catalogue.images.announced(tenant, sha256s, fingerprint)  # rule: announce
    return True


def ring_shards(ports: Ports, tenant: str, buckets: Collection[int] = range(BUCKETS)) -> None:
    """Once after many announcements: the shards that hold these buckets."""
    for index in ports.catalogue.indexes.all(tenant):
        for shard in sorted({shard_of(bucket, index.shards) for bucket in buckets}):
            if not all(map(ports.queue.ring, syncs_of(index, shard))):
                return
