"""What a shard shows against what the catalogue says, in both directions; drift is repaired."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from services.indexer.commit import commit, overtaken
from services.indexer.ports import Ports
from services.indexer.rebuild import start_rebuild
from services.indexer.segments import stored
from shared.catalogue.products import BucketDigest
from shared.errors import NotFound
from shared.index.damage import DamagedSegment
from shared.index.entries import Entry
from shared.index.manifest import Manifest
from shared.index.view import ShardView, open_view
from shared.indexes import Index, Pointer, target
from shared.products import Attributes, Product, bucket_of, buckets_of, revision_digest

logger = logging.getLogger(__name__)

Verdict = Literal["untold", "lost", "ahead"]
Shown = Mapping[int, Mapping[str, int]]
"""By bucket: product ids and revisions that the shard shows."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Where a shard and the catalogue differ; `ghosts` have the revision that the shard shows."""

    index: Index
    shard: int
    read_at: int
    untold: tuple[str, ...] = ()
    """Missing, stale or still shown, and the document does not claim otherwise."""
    lost: tuple[str, ...] = ()
    """The document says that the shard has it, and it has not."""
    ghosts: tuple[tuple[str, int], ...] = ()
    """Shown, and the catalogue has no document any more."""
    damaged: bool = False

    def __bool__(self) -> bool:
        return bool(self.untold or self.lost or self.ghosts or self.damaged)

    def repair(self, ports: Ports) -> bool:
        """Puts everything on its usual way into the index; whether there was anything."""
        name, tenant = target(self.index.index_id, "segments"), self.index.tenant
        if self:
            logger.warning(
                "%s shard %d drifted: untold %s, lost %s, ghosts %s, damaged: %s",
                self.index.index_id,
                self.shard,
                self.untold,
                self.lost,
                self.ghosts,
                self.damaged,
            )
        if self.damaged:
            start_rebuild(ports, self.index, self.shard)
        if self.untold:
            ports.catalogue.products.add_pending(tenant, frozenset({name}), self.untold)
        if self.lost:
            # Pending alone would bring an entry without rows: `indexed` says that those are there.
            ports.catalogue.products.rebuild(tenant, name, self.lost)
        if self.ghosts:
            self._bury(ports)
        return bool(self)

    def _bury(self, ports: Ports) -> None:
        """Tombstones one revision above what is shown; a product put again is far above that."""
        now = ports.catalogue.now()
        entries = [_tombstone(pid, revision + 1, now) for pid, revision in self.ghosts]
        ref = stored(ports, self.index, self.shard, entries)

        def append(manifest: Manifest) -> Manifest:
            return replace(manifest, segments=(*manifest.segments, ref))

        commit(ports, self.index, self.shard, append, read_at=self.read_at)


def audit_shard(ports: Ports, index: Index, shard: int) -> bool:
    """Compares and repairs; whether there was drift."""
    return compare(ports, index, shard).repair(ports)


def rebuild_if_damaged(ports: Ports, index: Index, shard: int) -> bool:
    """For whoever met a file that does not fit: whether the shard still has such a file."""
    pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
    damaged = _view(ports, index, pointer) is None
    if damaged:
        start_rebuild(ports, index, shard)
    return damaged


def compare(ports: Ports, index: Index, shard: int) -> Drift:
    """Looks at the shard first, so that a document is never older than what is shown of it."""
    none = Drift(index, shard, ports.catalogue.now())
    pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
    view = _view(ports, index, pointer)
    if view is None:
        return replace(none, damaged=True)
    return differences(
        ports, none, target(index.index_id, "segments"), _by_bucket(index.tenant, view)
    )


_ALL = 10_000_000


def differences(ports: Ports, none: Drift, name: str, shown: Shown) -> Drift:
    """`none`, or what differs between a target's part of a shard and the catalogue."""
    tenant, buckets = none.index.tenant, buckets_of(none.shard, none.index.shards)
    waiting = set(ports.catalogue.products.pending(tenant, name, buckets, _ALL))
    wanted = ports.catalogue.products.digests(tenant, name, buckets)
    differing = set(_differing(buckets, wanted, shown, waiting))
    if not differing:
        return none
    return _detail(ports, none, name, {b: shown.get(b, {}) for b in differing})


def _view(ports: Ports, index: Index, pointer: Pointer) -> ShardView | None:
    """None when a file of the shard is missing or does not fit."""
    try:
        view = open_view(ports.blobs, pointer, index.spaces)
    except (DamagedSegment, NotFound):
        if overtaken(ports, pointer):
            raise
        return None
    return None if view.damaged and not overtaken(ports, pointer) else view


def _by_bucket(tenant: str, view: ShardView) -> Shown:
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for product_id, revision in view.products():
        found[bucket_of(tenant, product_id)][product_id] = revision
    return found


def _differing(
    buckets: range, wanted: list[BucketDigest], shown: Shown, waiting: set[str]
) -> Iterator[int]:
    """Buckets that are not the same, apart from products that wait to be indexed anyway."""
    said = {digest.bucket: (digest.count, digest.digest) for digest in wanted}
    for bucket in buckets:
        settled = [(p, r) for p, r in shown.get(bucket, {}).items() if p not in waiting]
        total = sum(revision_digest(product_id, revision) for product_id, revision in settled)
        if said.get(bucket, (0, 0)) != (len(settled), total % 2**63):
            yield bucket


def _detail(ports: Ports, none: Drift, name: str, shown: Shown) -> Drift:
    """Product by product, where a bucket differs."""
    index, untold, lost = none.index, [], []
    unseen = {pid: revision for products in shown.values() for pid, revision in products.items()}
    after = ""
    while page := ports.catalogue.products.page(index.tenant, after, ports.limits.page):
        after = page[-1].product_id
        for product in page:
            if product.bucket in shown:
                revision = unseen.pop(product.product_id, None)
                match _judge(product, revision, name):
                    case "untold":
                        untold.append(product.product_id)
                    case "lost":
                        lost.append(product.product_id)
                    case "ahead":
                        # A catalogue restored from a copy: no revision it gives would win here.
                        return replace(none, damaged=True)
                    case None:
                        pass
    there = ports.catalogue.products.get(index.tenant, list(unseen)) if unseen else {}
    ghosts = tuple((pid, revision) for pid, revision in unseen.items() if pid not in there)
    return replace(none, untold=tuple(untold), lost=tuple(lost), ghosts=ghosts)


def _judge(product: Product, shown: int | None, name: str) -> Verdict | None:
    """None when the shard is right or will be without help."""
    if name in product.pending or (product.deleted and shown is None):
        return None
    if shown is not None and shown > product.revision:
        return "ahead"
    if product.deleted:
        return "untold"
    at = -1 if shown is None else shown
    if at < product.indexed.get(name, -1):
        return "lost"
    return "untold" if at < product.revision else None


def _tombstone(product_id: str, revision: int, now: int) -> Entry:
    return Entry(product_id, revision, revision, True, Attributes(), (), revision, now)
