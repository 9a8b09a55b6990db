"""Where a product is on its way to being found, read from the documents alone."""

from collections.abc import Mapping

from services.gateway.answers import stamp
from services.gateway.ports import Ports
from services.gateway.schemas.products import (
    ImagePresence,
    IndexPresence,
    PresenceView,
    State,
    TargetPresence,
)
from services.gateway.waiting import wait_for
from shared.errors import NotFound
from shared.images import Image
from shared.indexes import Index, TargetKind, target
from shared.products import Product, shard_of

LIVE_MS = 30_000
"""A reader that said nothing for so long is not waited for."""

Generations = dict[str, int]
"""Per target and revision, the generation that every reader must show: read once after `indexed`
was seen, so that later commits of others do not prolong the wait."""


def presence(ports: Ports, tenant: str, product_id: str, *, within: float = 0.0) -> PresenceView:
    """Every stage; with `within`, as soon as nothing is left to happen."""
    seen: Generations = {}
    return wait_for(
        ports,
        lambda: _look(ports, tenant, product_id, seen),
        lambda view: view.state != "pending",
        within,
    )


def _look(ports: Ports, tenant: str, product_id: str, seen: Generations) -> PresenceView:
    before = _product(ports, tenant, product_id)
    images = ports.catalogue.images.get(tenant, before.images)
    # read again after its images: whatever vector was seen and announced is in this revision
    product = _product(ports, tenant, product_id)
    indexes = [
        IndexPresence(
            index=index.index_id,
            state=index.state,
            images=[_image(sha, images.get(sha), index) for sha in product.images],
            targets=[_target(ports, product, index, kind, seen) for kind in index.targets],
        )
        for index in ports.catalogue.indexes.all(tenant)
    ]
    state, reason = _judged(product, indexes)
    return PresenceView(
        product_id=product.product_id,
        state=state,
        reason=reason,
        version=product.version,
        revision=product.revision,
        pending_since=None if product.pending_since is None else stamp(product.pending_since),
        indexes=indexes,
    )


def _product(ports: Ports, tenant: str, product_id: str) -> Product:
    product = ports.catalogue.products.get(tenant, [product_id]).get(product_id)
    if product is None:
        raise NotFound(f"There is no product {product_id!r}.")
    return product


def _image(sha256: str, image: Image | None, index: Index) -> ImagePresence:
    if image is None:
        return ImagePresence(
            sha256=sha256, state="failed", code="image_gone", reason="Its bytes were removed."
        )
    progress = image.state.get(index.spaces.fingerprint)
    if progress is not None and progress.error is not None:
        code, _, reason = progress.error.partition(": ")
        return ImagePresence(sha256=sha256, state="failed", code=code, reason=reason or code)
    embedded = index.spaces.fingerprint in image.vectors
    unannounced = progress is not None and progress.unannounced
    return ImagePresence(
        sha256=sha256, state="embedded" if embedded and not unannounced else "waiting"
    )


def _target(
    ports: Ports, product: Product, index: Index, kind: TargetKind, seen: Generations
) -> TargetPresence:
    name = target(index.index_id, kind)
    indexed = product.indexed.get(name)
    waits_for: str | None = None
    if indexed is None or indexed < product.revision or name in product.pending:
        waits_for = "the indexer"
    elif kind == "segments":
        shard = shard_of(product.bucket, index.shards)
        waits_for = _behind(ports, index, shard, f"{name}@{product.revision}", seen)
    return TargetPresence(
        target=name,
        indexed=indexed,
        revision=product.revision,
        searchable=waits_for is None,
        waits_for=waits_for,
    )


def _behind(ports: Ports, index: Index, shard: int, key: str, seen: Generations) -> str | None:
    """Which readers do not show the shard yet."""
    pointer = ports.catalogue.indexes.pointer(index.index_id, shard)
    wanted = seen.setdefault(key, pointer.generation)
    live = _live(pointer.replicas, ports.catalogue.now())
    if not live:
        return f"a search replica that holds shard {shard}"
    behind = sorted(replica for replica, generation in live.items() if generation < wanted)
    return f"search replicas {', '.join(behind)}" if behind else None


def _live(replicas: Mapping[str, tuple[int, int]], now: int) -> Mapping[str, int]:
    return {
        replica: generation for replica, (generation, at) in replicas.items() if now - at <= LIVE_MS
    }


def _judged(product: Product, indexes: list[IndexPresence]) -> tuple[State, str | None]:
    """Over all indexes that are ready: one built beside them keeps nobody waiting."""
    if product.deleted:
        return "deleted", None
    ready = [index for index in indexes if index.state == "ready"] or indexes
    if not ready:
        return "pending", "There is no index yet."
    images = [image for index in ready for image in index.images]
    failed = [image for image in images if image.state == "failed"]
    if len(failed) == len(images):
        return "rejected", failed[0].reason if failed else "It has no pictures."
    if any(image.state == "waiting" for image in images):
        return "pending", "Pictures wait for the embedder."
    waiting = [t for index in ready for t in index.targets if not t.searchable]
    if waiting:
        return "pending", f"{waiting[0].target} waits for {waiting[0].waits_for}."
    return "searchable", None
