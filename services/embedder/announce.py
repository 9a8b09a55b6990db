"""A vector arriving, or a final failure, is a change of every product that shows the image."""

from collections.abc import Collection, Iterable

from services.embedder.ports import Ports
from shared.products import BUCKETS, shard_of
from shared.runtime.failpoints import reach
from shared.tasks import syncs_of


def announce(ports: Ports, tenant: str, sha256: str, fingerprint: str) -> bool:
    """Bump the image's products, then say so in the image.

    False when the targets were too old by then: the image stays claimable, and whoever claims it
    next has only this left to do.
    """
    fresh = ports.targets.fresh(tenant)
    bumped = ports.catalogue.products.bump_showing(  # rule: arrival_bumps
        tenant, sha256, targets=fresh.names, not_after=fresh.not_after
    )
    if bumped is None:
        return False
    reach("embedder.bumped", sha256)
    ports.catalogue.images.announced(tenant, sha256, fingerprint)  # rule: announce
    return True


def announce_all(ports: Ports, tenant: str, sha256s: Iterable[str], fingerprint: str) -> int:
    """How many were announced."""
    return sum(announce(ports, tenant, sha256, fingerprint) for sha256 in sha256s)


def ring_shards(ports: Ports, tenant: str, buckets: Collection[int] = range(BUCKETS)) -> None:
    """Once after many announcements: the shards that hold these buckets."""
    for index in ports.catalogue.indexes.all(tenant):
        for shard in sorted({shard_of(bucket, index.shards) for bucket in buckets}):
            if not all(map(ports.queue.ring, syncs_of(index, shard))):
                return
