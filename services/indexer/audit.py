"""What a shard shows against what the catalogue says, in both directions; drift is repaired."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

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
from shared.indexes import Index, target
from shared.products import Attributes, Product, bucket_of, buckets_of, revision_digest

logger = logging.getLogger(__name__)

Verdict = Literal["untold", "lost", "ghost", "ahead"]
Shown = Mapping[int, Mapping[str, int]]
"""By bucket: product ids and revisions that the shard shows."""
Again = Callable[[Collection[str]], Mapping[str, int] | None]
"""Which of these products the shard shows when it is called, in which revision; None: damaged."""

_ALL: Final = 10_000_000
_TOLD: Final = 5
"""Ids of a kind of drift that the log names."""
_NOTHING: Final = -1


class Suspect(NamedTuple):
    """A product that the shard did not show as its document has it."""

    verdict: Verdict
    shown: int
    """Its revision when the shard was looked at."""
    said: int
    """The revision that the shard has by the document."""


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

    def __str__(self) -> str:
        """Counts and a few ids, for logs."""
        ghosts = [product_id for product_id, _ in self.ghosts]
        kinds = {"untold": self.untold, "lost": self.lost, "ghosts": ghosts}
        told = [_few(ids, kind) for kind, ids in kinds.items() if ids]
        return "; ".join([*told, "damaged"] if self.damaged else told)

    def repair(self, ports: Ports) -> bool:
        """Puts everything on its usual way into the index; whether there was anything."""
        name, tenant = target(self.index.index_id, "segments"), self.index.tenant
        if self:
            where = (self.index.index_id, self.shard)
            logger.warning("%s shard %d drifted in segments: %s", *where, self)
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
    damaged = _view(ports, index, shard) is None
    if damaged:
        start_rebuild(ports, index, shard)
    return damaged


def compare(ports: Ports, index: Index, shard: int) -> Drift:
    """Looks at the shard first, so that a document is never older than what is shown of it."""
    none = Drift(index, shard, ports.catalogue.now())
    view = _view(ports, index, shard)
    if view is None:
        return replace(none, damaged=True)

    def again(product_ids: Collection[str]) -> dict[str, int] | None:
        later = _view(ports, index, shard, view)
        return None if later is None else {p: r for p, r in later.products() if p in product_ids}

    shown = _by_bucket(index.tenant, view)
    return differences(ports, none, target(index.index_id, "segments"), shown, again)


def differences(ports: Ports, none: Drift, name: str, shown: Shown, again: Again) -> Drift:
    """`none`, or what differs between a target's part of a shard and the catalogue.

    Documents are read after the shard and tell of commits that came in between, so a suspicion
    stands only if the shard, looked at again, does not show what the document says.
    """
    tenant, buckets = none.index.tenant, buckets_of(none.shard, none.index.shards)
    waiting = set(ports.catalogue.products.pending(tenant, name, buckets, _ALL))
    wanted = ports.catalogue.products.digests(tenant, name, buckets)
    differing = set(_differing(buckets, wanted, shown, waiting))
    if not differing:
        return none
    suspects = _suspects(ports, tenant, name, {b: shown.get(b, {}) for b in differing})
    if not suspects:
        return none
    # A shard is ahead of a catalogue restored from a copy: no revision it gives would win here.
    ahead = any(suspect.verdict == "ahead" for suspect in suspects.values())
    if ahead or (later := again(suspects.keys())) is None:
        return replace(none, damaged=True)
    return _drift(none, suspects, _settled(ports, tenant, suspects, later))


def _view(
    ports: Ports, index: Index, shard: int, previous: ShardView | None = None
) -> ShardView | None:
    """None when a file of the shard is missing or does not fit."""
    pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
    try:
        view = open_view(ports.blobs, pointer, index.spaces, previous)
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


def _suspects(ports: Ports, tenant: str, name: str, shown: Shown) -> dict[str, Suspect]:
    """Product by product, where a bucket differs."""
    unseen = {pid: revision for products in shown.values() for pid, revision in products.items()}
    found, after = {}, ""
    while page := ports.catalogue.products.page(tenant, after, ports.limits.page):
        after = page[-1].product_id
        for product in page:
            if product.bucket in shown:
                revision = unseen.pop(product.product_id, _NOTHING)
                if suspect := _judge(product, revision, name):
                    found[product.product_id] = suspect
    there = ports.catalogue.products.get(tenant, list(unseen)) if unseen else {}
    gone = {pid: revision for pid, revision in unseen.items() if pid not in there}
    return found | {pid: Suspect("ghost", revision, _NOTHING) for pid, revision in gone.items()}


def _judge(product: Product, shown: int, name: str) -> Suspect | None:
    """None when the shard is right or will be without help."""
    if name in product.pending or (product.deleted and shown == _NOTHING):
        return None
    if shown > product.revision:
        return Suspect("ahead", shown, product.revision)
    if product.deleted:
        return Suspect("untold", shown, _NOTHING)
    indexed = product.indexed.get(name, _NOTHING)
    if shown < indexed:
        return Suspect("lost", shown, indexed)
    return Suspect("untold", shown, product.revision) if shown < product.revision else None


def _settled(
    ports: Ports, tenant: str, suspects: Mapping[str, Suspect], later: Mapping[str, int]
) -> set[str]:
    """Those that the shard shows by now as their documents said, or newer and whole.

    Newer alone is not enough: a sync of a changed title trusts in rows that may be lost. Where
    images are newer too, it brings rows of its own.
    """
    right = {pid for pid, (_, _, said) in suspects.items() if later.get(pid, _NOTHING) == said}
    newer = [pid for pid, revision in later.items() if revision > suspects[pid].said > _NOTHING]
    there = ports.catalogue.products.get(tenant, newer) if newer else {}
    whole = {pid for pid, one in there.items() if one.images_revision > suspects[pid].said}
    return right | whole


def _drift(none: Drift, suspects: Mapping[str, Suspect], settled: set[str]) -> Drift:
    def of(verdict: Verdict) -> list[str]:
        return [p for p, one in suspects.items() if one.verdict == verdict and p not in settled]

    ghosts = tuple((pid, suspects[pid].shown) for pid in of("ghost"))
    return replace(none, untold=tuple(of("untold")), lost=tuple(of("lost")), ghosts=ghosts)


def _few(ids: Sequence[str], kind: str) -> str:
    named = [*ids[:_TOLD], "…"] if len(ids) > _TOLD else ids
    return f"{len(ids)} {kind} ({', '.join(named)})"


def _tombstone(product_id: str, revision: int, now: int) -> Entry:
    return Entry(product_id, revision, revision, True, Attributes(), (), revision, now)
