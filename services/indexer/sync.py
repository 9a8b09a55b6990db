"""Pending products of a shard become a segment: what is there is indexed, nothing is waited for."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.indexer.commit import commit
from services.indexer.lease import held
from services.indexer.ports import Ports
from services.indexer.segments import DATA_ERRORS, stored, unwritable
from services.indexer.tiers import full_tier
from shared.errors import Invalid
from shared.images import Image
from shared.index.entries import Entry, Row
from shared.index.manifest import Manifest, SegmentRef
from shared.indexes import Index, TargetKind, target
from shared.jobs import DeadLetter
from shared.products import Product, buckets_of
from shared.spaces import Spaces
from shared.tasks import CompactShard, SyncElasticsearch, SyncShard

logger = logging.getLogger(__name__)

LEASE_MS = 60_000

MakeEntry = Callable[[Product, Mapping[str, Image], Index, int], Entry]


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries built from documents read since `read_at`, and the products that cannot have one."""

    read_at: int
    entries: tuple[Entry, ...]
    broken: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Todo:
    """A target's part for one shard's buckets; `broken` are products that this sync could not index."""

    index: Index
    kind: TargetKind
    shard: int
    broken: set[str] = field(default_factory=set)

    @property
    def target(self) -> str:
        return target(self.index.index_id, self.kind)

    @property
    def lease(self) -> str:
        folder = "sync" if self.kind == "segments" else f"sync-{self.kind}"
        return f"{folder}/{self.index.index_id}/{self.shard}"

    def pending(self, ports: Ports, limit: int) -> Sequence[str]:
        """Ids that wait, urgent first, without the broken ones."""
        found = ports.catalogue.products.pending(
            self.index.tenant,
            self.target,
            buckets_of(self.shard, self.index.shards),
            limit + len(self.broken),
        )
        return [product_id for product_id in found if product_id not in self.broken][:limit]

    def give_up(self, ports: Ports, broken: Mapping[str, str]) -> None:
        """They stay pending, so that they are tried again; a dead letter says what is wrong."""
        self.broken.update(broken)
        for product_id, reason in broken.items():
            _report(ports, self.index, product_id, reason)


def sync_shard(ports: Ports, task: SyncShard) -> int:
    """Indexes until nothing is pending or the time is over, then rings itself; how many products."""
    index = ports.catalogue.indexes.get(task.index)
    if index is None or "segments" not in index.targets:
        return 0
    return in_turns(ports, Todo(index, "segments", task.shard), task, _sync_batch)


def in_turns(
    ports: Ports,
    todo: Todo,
    task: SyncShard | SyncElasticsearch,
    batch: Callable[[Ports, Todo], int],
) -> int:
    """Batch after batch while something is pending; how many products.

    Another sync of the same may run meanwhile. Whoever finds the lease taken leaves the work to
    its holder, who looks once more after giving it back.
    """
    done, until = 0, ports.catalogue.now() + ports.limits.sync_ms
    while todo.pending(ports, limit=1):
        if ports.catalogue.now() > until:
            ports.queue.ring(task)
            break
        known = len(todo.broken)
        with held(ports, todo.lease, LEASE_MS) as ours:
            synced = batch(ports, todo) if ours else 0
        done += synced
        if not synced and len(todo.broken) == known:
            break
    return done


def _sync_batch(ports: Ports, todo: Todo) -> int:
    """One segment, one commit, then the marks; how many products are in it."""
    ids, index = todo.pending(ports, ports.limits.batch), todo.index
    if not ids:
        return 0
    batch = read_batch(ports, index, ids)
    try:
        ref = stored(ports, index, todo.shard, batch.entries) if batch.entries else None
    except DATA_ERRORS:
        batch = _without(batch, dict(unwritable(ports, index, batch.entries)))
        ref = stored(ports, index, todo.shard, batch.entries) if batch.entries else None
    todo.give_up(ports, batch.broken)
    if ref is None or not _append(ports, index, todo.shard, ref, batch.read_at):
        return 0
    ports.catalogue.products.mark(
        index.tenant, todo.target, [(entry.product_id, entry.revision) for entry in batch.entries]
    )
    return len(batch.entries)


def _without(batch: Batch, broken: Mapping[str, str]) -> Batch:
    entries = tuple(entry for entry in batch.entries if entry.product_id not in broken)
    return replace(batch, entries=entries, broken={**batch.broken, **broken})


def read_batch(
    ports: Ports, index: Index, ids: Sequence[str], make: MakeEntry | None = None
) -> Batch:
    """The present state of products: a vector that arrives later than this bumps its product."""
    make = make or entry_of
    read_at = ports.catalogue.now()
    # rule: product_before_images
    products = ports.catalogue.products.get(index.tenant, ids)
    shas = {sha for product in products.values() for sha in product.images}
    images = ports.catalogue.images.get(index.tenant, shas) if shas else {}
    # A tombstone ages from here: whoever read its product undeleted began before this moment.
    made = ports.catalogue.now()
    entries, broken = [], {}
    for product_id in ids:
        if product := products.get(product_id):
            try:
                entries.append(make(product, images, index, made))
            except Invalid as error:
                broken[product_id] = error.detail
    return Batch(read_at, tuple(entries), broken)


def entry_of(product: Product, images: Mapping[str, Image], index: Index, made: int) -> Entry:
    """What a segment says of a product: a tombstone, attributes alone, or attributes and rows."""
    indexed = product.indexed.get(target(index.index_id, "segments"), -1)
    # rule: rows_unless_indexed
    bare = product.deleted or indexed >= product.images_revision
    rows = () if bare else tuple(_rows(product, images, index.spaces))
    return _entry(product, rows, made)


def whole_entry_of(product: Product, images: Mapping[str, Image], index: Index, made: int) -> Entry:
    """The same for a target that keeps nothing from before: with all rows there are."""
    rows = () if product.deleted else tuple(_rows(product, images, index.spaces))
    return _entry(product, rows, made)


def _entry(product: Product, rows: tuple[Row, ...], made: int) -> Entry:
    return Entry(
        product_id=product.product_id,
        revision=product.revision,
        images_revision=product.images_revision,
        deleted=product.deleted,
        attributes=product.attributes,
        rows=rows,
        rows_at=product.revision,
        committed=made,
    )


def _rows(product: Product, images: Mapping[str, Image], spaces: Spaces) -> Iterator[Row]:
    for sha in dict.fromkeys(product.images):
        image = images.get(sha)
        vector = image.vectors.get(spaces.fingerprint) if image else None
        if vector is None:
            continue
        if len(vector) != 2 * spaces.dim:
            raise Invalid(
                f"The vector of image {sha} has {len(vector)} bytes, a vector of "
                f"{spaces.fingerprint} has {2 * spaces.dim}: embed the image again."
            )
        yield Row(sha, vector)


def _report(ports: Ports, index: Index, product_id: str, reason: str) -> None:
    logger.warning("product %s is not indexed: %s", product_id, reason)
    letter = DeadLetter(
        key=f"product/{index.tenant}/{index.index_id}/{product_id}",
        tenant=index.tenant,
        kind="product",
        code="not_indexable",
        detail=f"{product_id} in {index.index_id}: {reason}",
        first_seen=ports.catalogue.now(),
    )
    ports.catalogue.dead.put([letter])


def _append(ports: Ports, index: Index, shard: int, ref: SegmentRef, read_at: int) -> bool:
    """Whether the segment is in the shard's manifest; a full tier is told to compaction."""
    segments: tuple[SegmentRef, ...] = ()

    def append(manifest: Manifest) -> Manifest:
        nonlocal segments
        segments = (*manifest.segments, ref)
        return replace(manifest, segments=segments, as_of=max(manifest.as_of, read_at))

    if commit(ports, index, shard, append, read_at=read_at) is None:
        return False
    if full_tier(segments, ports.limits):
        ports.queue.ring(CompactShard(index.index_id, shard))
    return True
