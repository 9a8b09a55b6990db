"""What must hold once it is quiet: of the stores, and against the dictionary of acknowledged writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import LookalikeError
from shared.images import Image
from shared.index.view import ShardView, open_view
from shared.indexes import Index
from shared.products import Product
from tests.protocols.scenery import NAME, PICTURES, TENANT


class Violation(AssertionError):
    """A promise was broken."""


@dataclass
class Operation:
    """A write as its caller sees it. `content` None is a deletion."""

    pid: str
    start: tuple[int, int]
    end: tuple[float, int] = (float("inf"), 0)
    content: tuple[str, tuple[str, ...]] | None = None
    acked: bool = False
    done: bool = False


def check_bytes(store: Catalogue, blobs: Blobs) -> None:
    """Every picture that is shown is there whole, and no good one was given up."""
    for product in _living(store):
        images = store.images.get(TENANT, product.images)
        for sha in product.images:
            image, name = images.get(sha), NAME[sha]
            if image is None or _bytes(blobs, image) != PICTURES[name]:
                raise Violation(f"{product.product_id}: the bytes of {name} are gone")
            state = image.state.get("f1")
            if state and state.error and name not in "XT":
                raise Violation(f"{product.product_id}: {name} was given up")


def check_writes(store: Catalogue, operations: Sequence[Operation]) -> None:
    """What a product holds was written by somebody whom no acknowledged write came after."""
    found = {product.product_id: content_of(product) for product in _living(store)}
    for pid in {op.pid for op in operations}:
        final = found.get(pid)
        ops = [op for op in operations if op.pid == pid]
        ends: list[tuple[float, int]] = [op.end for op in ops if op.done and op.content == final]
        if final is None:
            ends.append((-1, 0))
        if not any(
            all(op.content == final or not op.acked or op.start <= end for op in ops)
            for end in ends
        ):
            raise Violation(f"{pid} holds {final}, but a newer write was acknowledged: {ops}")


def check_index(store: Catalogue, blobs: Blobs, index: Index) -> None:
    """The index shows the catalogue's products, with the pictures that have vectors."""
    shown = {
        pid: (live.attributes.title, frozenset(live.shas))
        for view in views(store, blobs, index)
        for pid, _ in view.products()
        if (live := view.product(pid)) is not None
    }
    wanted = {
        product.product_id: (product.attributes.title, _embedded(store, product, index))
        for product in _living(store)
    }
    if shown != wanted:
        raise Violation(f"{index.index_id} shows {shown}, the catalogue says {wanted}")


def views(store: Catalogue, blobs: Blobs, index: Index) -> list[ShardView]:
    pointers = [store.indexes.pointer(index.index_id, shard) for shard in range(index.shards)]
    return [open_view(blobs, pointer, index.spaces, None) for pointer in pointers]


def content_of(product: Product) -> tuple[str, tuple[str, ...]] | None:
    return None if product.deleted else (product.attributes.title, product.images)


def _living(store: Catalogue) -> list[Product]:
    return [product for product in store.products.page(TENANT) if not product.deleted]


def _embedded(store: Catalogue, product: Product, index: Index) -> frozenset[str]:
    images = store.images.get(TENANT, product.images)
    return frozenset(s for s, image in images.items() if index.spaces.fingerprint in image.vectors)


def _bytes(blobs: Blobs, image: Image) -> bytes:
    try:
        return blobs.read(image.place.blob, image.place.offset, image.place.length)
    except LookalikeError:
        return b""
