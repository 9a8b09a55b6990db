"""Many segments of a shard become one, with accelerators where they pay."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from services.indexer.apart import AGE_MS
from services.indexer.commit import commit, manifest_of
from services.indexer.lease import held
from services.indexer.merging import knows
from services.indexer.ports import Ports
from services.indexer.segments import stored_merged
from services.indexer.tiers import full_tier
from shared.index.manifest import Manifest, SegmentRef
from shared.index.segment import Segment
from shared.index.view import open_view
from shared.indexes import Index, Pointer
from shared.tasks import CompactShard


@dataclass(slots=True)
class Merge:
    """The inputs as one segment, made anew whenever what it forgot is known elsewhere by now."""

    ports: Ports
    index: Index
    shard: int
    inputs: tuple[SegmentRef, ...]
    began: int
    segment: SegmentRef | None = None
    forgotten: frozenset[str] = frozenset()
    looked_at: set[str] | None = None

    def __call__(self, manifest: Manifest) -> Manifest | None:
        """The change that a commit makes; None when an input is gone or too much time is."""
        # rule: all_inputs_there
        if not set(_names(self.inputs)) <= set(_names(manifest.segments)):
            return None
        if self.ports.catalogue.now() - self.began > AGE_MS:
            return None
        standing = [s for s in manifest.segments if s.name not in _names(self.inputs)]
        # rule: tombstone_each_try
        if self.looked_at is None or self._known_now(standing, self.looked_at):
            self._make(standing)
        return replace(manifest, segments=replaced(manifest, self.inputs, self.segment))

    def _make(self, standing: Sequence[SegmentRef]) -> None:
        self.segment, self.forgotten = stored_merged(
            self.ports, self.index, self.shard, self.inputs, standing
        )
        self.looked_at = set(_names(standing))

    def _known_now(self, standing: Sequence[SegmentRef], looked_at: set[str]) -> bool:
        """Whether a segment that came since the merge knows a product that the merge forgot."""
        fresh = [ref for ref in standing if ref.name not in looked_at]
        looked_at.update(_names(fresh))
        opened = [Segment.open(ref, self.ports.blobs) for ref in fresh if self.forgotten]
        return any(knows(opened, product_id) for product_id in self.forgotten)


def compact_shard(ports: Ports, task: CompactShard) -> bool:
    """Merges once, and rings again where that filled the next tier; whether it merged."""
    index = ports.catalogue.indexes.get(task.index)
    if index is None or "segments" not in index.targets:
        return False
    with held(ports, f"compact/{task.index}/{task.shard}", AGE_MS) as ours:
        merged = ours and compact(ports, index, task.shard)
    if merged:
        ports.queue.ring(task)
    return merged


def compact(ports: Ports, index: Index, shard: int) -> bool:
    """One merge of what is due, if anything is; safe beside syncs and other compactions."""
    began = ports.catalogue.now()
    pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
    inputs = due(ports, pointer, manifest_of(ports.blobs, index, pointer))
    if not inputs:
        return False
    merge_inputs = Merge(ports, index, shard, inputs, began)
    return commit(ports, index, shard, merge_inputs, read_at=None) is not None


def due(ports: Ports, pointer: Pointer, manifest: Manifest) -> tuple[SegmentRef, ...]:
    """A full tier; else every segment, where too many rows of the shard are dead."""
    if full := full_tier(manifest.segments, ports.limits):
        return full
    if len(manifest.segments) < 2:
        return ()
    view = open_view(ports.blobs, pointer, manifest.spaces, None)
    rows = view.live_rows + view.dead_rows
    too_dead = view.dead_rows > rows * ports.limits.dead_share
    return manifest.segments if too_dead and not view.damaged else ()


def replaced(
    manifest: Manifest, inputs: Sequence[SegmentRef], merged: SegmentRef | None
) -> tuple[SegmentRef, ...]:
    """The merged segment stands where its last input stood; what came after stays after."""
    names = _names(inputs)
    last = max(at for at, ref in enumerate(manifest.segments) if ref.name in names)
    before = tuple(ref for ref in manifest.segments[:last] if ref.name not in names)
    return (*before, *((merged,) if merged else ()), *manifest.segments[last + 1 :])


def _names(segments: Collection[SegmentRef]) -> tuple[str, ...]:
    return tuple(ref.name for ref in segments)
