"""Product documents as they are kept. What waits and what shows is in the document itself."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.catalogue.mongo.store import Document
from shared.catalogue.texts import attributes_of, attributes_text, category_key
from shared.products import Date, Product


def _same(value: Any) -> Any:
    return value


# How each field is kept, under its own name. `pending` and `category` are made beside these.
_KEPT: Final[Mapping[str, Callable[[Any], Any]]] = {
    "tenant": _same,
    "product_id": _same,
    "attributes": attributes_text,
    "images": list,
    "content_hash": _same,
    "version": _same,
    "revision": _same,
    "images_revision": _same,
    "deleted": _same,
    "date": list,
    "written": _same,
    "written_by": lambda by: None if by is None else list(by),
    "bucket": _same,
    "urgent": _same,
    "indexed": dict,
    "pending_since": _same,
    "last_error": _same,
}


def key_of(tenant: str, name: str) -> str:
    return f"{tenant}/{name}"


def within(tenant: str, after: str = "") -> Document:
    """The keys of a tenant beyond `after`; no tenant has a `/` in its name."""
    return {"$gt": key_of(tenant, after), "$lt": f"{tenant}0"}


def product_of(doc: Document) -> Product:
    by = doc["written_by"]
    return Product(
        tenant=doc["tenant"],
        product_id=doc["product_id"],
        attributes=attributes_of(json.loads(doc["attributes"])),
        images=tuple(doc["images"]),
        content_hash=doc["content_hash"],
        version=doc["version"],
        revision=doc["revision"],
        images_revision=doc["images_revision"],
        deleted=doc["deleted"],
        date=Date(*doc["date"]),
        written=doc["written"],
        written_by=None if by is None else tuple(by),
        bucket=doc["bucket"],
        urgent=doc["urgent"],
        indexed=doc["indexed"],
        pending=frozenset(one["target"] for one in doc["pending"]),
        pending_since=doc["pending_since"],
        last_error=doc["last_error"],
    )


def fields_of(read: Document | None, after: Product, now: int) -> Document:
    """What has to be written so that the document that was read is `after`."""
    before = product_of(read) if read else None
    changed = {
        name: keep(getattr(after, name))
        for name, keep in _KEPT.items()
        if before is None or getattr(before, name) != getattr(after, name)
    }
    if "attributes" in changed:
        changed["category"] = category_key(after.attributes.category)
    if before is None or before.pending != after.pending:
        changed["pending"] = _pending(read["pending"] if read else [], after.pending, now)
    return changed


def _pending(was: list[Document], names: frozenset[str], now: int) -> list[Document]:
    """Each target with the time since when it waits for this product."""
    since = {one["target"]: one["since"] for one in was}
    return [{"target": name, "since": since.get(name, now)} for name in sorted(names)]
