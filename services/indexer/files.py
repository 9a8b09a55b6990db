"""Index files that no manifest in use names: left by compaction, by a crash, by a dropped index."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.indexer.apart import AGE_MS
from services.indexer.commit import commit
from services.indexer.ports import HOUR_MS, MINUTE_MS, Ports
from shared.blobs.keys import shard_folder
from shared.blobs.port import BlobInfo
from shared.errors import NotFound
from shared.index.damage import DamagedSegment
from shared.index.manifest import Manifest
from shared.indexes import Index, Pointer

ORPHAN_MS = 2 * AGE_MS
"""No commit names a file that is older than this and that no manifest named before."""
GRACE_MS = HOUR_MS
"""A manifest that was the shard's within this time may be on its way into a reader."""
SILENT_MS = 10 * MINUTE_MS
"""A reader that says nothing for so long is gone; it starts from the pointer when it returns."""


@dataclass(frozen=True, slots=True)
class StoredManifest:
    generation: int
    modified: int
    key: str


def sweep_shard_files(ports: Ports, index: Index, shard: int) -> int:
    """Deletes what neither the pointer nor a reader nor a commit under way can need; how many."""
    listed = list(ports.blobs.list(shard_folder(index.tenant, index.index_id, shard)))
    pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
    needed = _needed(ports, listed, _floor(ports, pointer, listed))
    now = ports.catalogue.now()
    orphans = {b.key for b in listed if now - b.modified > ORPHAN_MS} - needed
    orphans.discard(pointer.manifest or "")
    if not orphans:
        return 0
    orphans -= _fence(ports, index, shard)
    for key in sorted(orphans):
        ports.blobs.delete(key)
    return len(orphans)


def _fence(ports: Ports, index: Index, shard: int) -> set[str]:
    """Commits the manifest as it is, and answers what it names.

    A commit that read the pointer before this fails its swap; one that reads it afterwards names
    only what is in this manifest or younger than an orphan.
    """
    named: set[str] = set()

    def unchanged(manifest: Manifest) -> Manifest:
        nonlocal named
        named = files_of(manifest)
        return manifest

    commit(ports, index, shard, unchanged, read_at=None)
    return named


def _floor(ports: Ports, pointer: Pointer, listed: Iterable[BlobInfo]) -> int:
    """The lowest generation that somebody may still read."""
    now = ports.catalogue.now()
    floor = pointer.generation
    for replica, (generation, at) in pointer.replicas.items():
        if now - at > SILENT_MS:
            ports.catalogue.indexes.forget_replica(pointer.index_id, pointer.shard, replica)
        else:
            floor = min(floor, generation)
    rested = [m.generation for m in _manifests(listed) if now - m.modified > GRACE_MS]
    return min(floor, max(rested, default=0))


def _needed(ports: Ports, listed: Iterable[BlobInfo], floor: int) -> set[str]:
    needed: set[str] = set()
    for stored in _manifests(listed):
        if stored.generation >= floor:
            needed.add(stored.key)
            try:
                needed |= files_of(Manifest.from_json(ports.blobs.read(stored.key)))
            except (NotFound, DamagedSegment):
                continue
    return needed


def _manifests(listed: Iterable[BlobInfo]) -> Sequence[StoredManifest]:
    """By the names that `keys.manifest` gives: `manifest-{generation}-{ulid}.json`."""
    named = [(blob, blob.key.rpartition("/")[2].split("-")) for blob in listed]
    return [
        StoredManifest(int(parts[1]), blob.modified, blob.key)
        for blob, parts in named
        if parts[0] == "manifest" and len(parts) == 3 and parts[1].isdecimal()
    ]


def files_of(manifest: Manifest) -> set[str]:
    """The keys of all files that a manifest names."""
    return {file.key for segment in manifest.segments for file in segment.files}


def sweep_dropped(ports: Ports) -> int:
    """Deletes the files of indexes that are no more; how many."""
    by_index: defaultdict[str, list[BlobInfo]] = defaultdict(list)
    for blob in ports.blobs.list("tenants/"):
        parts = blob.key.split("/")
        if len(parts) > 4 and parts[2] == "indexes":
            by_index[parts[3]].append(blob)
    now, deleted = ports.catalogue.now(), 0
    for index_id, found in by_index.items():
        if ports.catalogue.indexes.get(index_id) is None:
            for blob in found:
                if now - blob.modified > ORPHAN_MS:
                    ports.blobs.delete(blob.key)
                    deleted += 1
    return deleted
