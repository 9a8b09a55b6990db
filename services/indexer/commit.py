"""A commit: a function of the shard's manifest, stored under a new name, and one pointer swapped."""

from collections.abc import Callable
from dataclasses import replace

from services.indexer.ports import MINUTE_MS, Ports
from shared.blobs import keys
from shared.blobs.port import Blobs
from shared.errors import NotFound, Unavailable
from shared.index.manifest import Manifest
from shared.indexes import Index, Pointer

READ_AGE_MS = 10 * MINUTE_MS
TRIES = 100

Change = Callable[[Manifest], Manifest | None]


def commit(
    ports: Ports, index: Index, shard: int, change: Change, *, read_at: int | None
) -> Pointer | None:
    """The new pointer; None when `change` wants none or the documents were read too long ago.

    `change` is asked anew at every try. `read_at` is when the documents behind it were read; None
    for a change that no document stands behind.
    """
    for _ in range(TRIES):
        pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
        # rule: ten_minutes
        # rule: age_after_pointer
        if read_at is not None and ports.catalogue.now() - read_at > READ_AGE_MS:
            return None
        try:
            before = manifest_of(ports.blobs, index, pointer)
        except NotFound:
            if overtaken(ports, pointer):
                continue
            raise
        changed = change(before)
        if changed is None:
            return None
        if swapped := _swap(ports, index, pointer, changed):
            ports.committed(index.index_id, shard)
            return swapped
    raise Unavailable(
        f"Shard {shard} of {index.index_id} changed {TRIES} times while one commit was tried; "
        "it is tried again with the next ring."
    )


def _swap(ports: Ports, index: Index, pointer: Pointer, changed: Manifest) -> Pointer | None:
    """Stores the manifest and names it, if the pointer is still the one that was read."""
    generation = pointer.generation + 1
    key = keys.manifest(index.tenant, index.index_id, pointer.shard, generation)
    ports.blobs.put(key, replace(changed, generation=generation).to_json())
    swapped = ports.catalogue.indexes.swap(
        index.index_id,
        pointer.shard,
        expected=pointer.generation,
        manifest=key,
        as_of=changed.as_of,
    )
    if swapped is None:
        ports.blobs.delete(key)
    return swapped


def overtaken(ports: Ports, pointer: Pointer) -> bool:
    """Whether somebody committed since, so that files of `pointer` may be gone by right."""
    latest = ports.catalogue.indexes.pointer(pointer.index_id, pointer.shard)
    return latest.generation != pointer.generation


def manifest_of(blobs: Blobs, index: Index, pointer: Pointer) -> Manifest:
    """What the pointer names; the empty manifest where nothing was committed yet."""
    if pointer.manifest is not None:
        return Manifest.from_json(blobs.read(pointer.manifest))
    return Manifest(
        index=index.index_id,
        shard=pointer.shard,
        generation=pointer.generation,
        as_of=pointer.as_of,
        spaces=index.spaces,
        declared=index.declared,
        segments=(),
    )
