"""A damaged shard starts again from nothing: every product of it comes back from the catalogue."""

from services.indexer.ports import Ports
from services.indexer.walk import finish, job_of, walk
from shared.errors import Unavailable
from shared.indexes import Index, Pointer, target
from shared.products import Product, buckets_of
from shared.tasks import BuildIndex

TRIES = 100


def start_rebuild(ports: Ports, index: Index, shard: int) -> Pointer:
    """Empties the shard and says so in the same swap, unless it is being rebuilt already."""
    for _ in range(TRIES):
        pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
        if pointer.rebuilding is not None:
            return pointer
        # rule: rebuild_is_state
        emptied = ports.catalogue.indexes.swap(
            index.index_id,
            shard,
            expected=pointer.generation,
            manifest=None,
            as_of=pointer.as_of,
            emptied=True,
        )
        if emptied is not None:
            ports.committed(index.index_id, shard)
            ports.queue.ring(BuildIndex(index.index_id))
            return emptied
    raise Unavailable(f"Shard {shard} of {index.index_id} changes too fast to be emptied; later.")


def go_on_rebuilding(ports: Ports, index: Index, pointer: Pointer, until: int) -> bool:
    """Bumps all products of an emptied shard, from where the last try stopped; whether done."""
    since = pointer.rebuilding
    if since is None:
        return True
    buckets = buckets_of(pointer.shard, index.shards)

    def bump(page: list[Product]) -> None:
        mine = [p.product_id for p in page if p.bucket in buckets]
        if mine:
            # rule: rebuild_bumps
            ports.catalogue.products.rebuild(index.tenant, target(index.index_id, "segments"), mine)

    job_id = f"rebuild-{index.index_id}-{index.created}-{pointer.shard}-{since}"
    if not walk(ports, job_of(ports, index.tenant, job_id, "rebuild"), bump, until):
        return False
    # rule: rebuild_is_state
    ports.catalogue.indexes.rebuilt(index.index_id, pointer.shard, since)
    finish(ports, index.tenant, job_id)
    return True
