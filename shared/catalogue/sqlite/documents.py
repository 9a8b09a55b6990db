"""Product documents as rows, with the side tables that make them findable always in step."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any, Final

from shared.catalogue.sqlite.store import Row
from shared.catalogue.texts import attributes_of, attributes_text, category_key, compact
from shared.products import Date, Product


def _same(value: Any) -> Any:
    return value


# How each field of a document is kept; the columns have the fields' names.
_KEPT: Final[dict[str, Callable[[Any], Any]]] = {
    "attributes": attributes_text,
    "images": compact,
    "content_hash": _same,
    "version": _same,
    "revision": _same,
    "images_revision": _same,
    "deleted": _same,
    "date": compact,
    "written": _same,
    "written_by": lambda by: None if by is None else compact(by),
    "bucket": _same,
    "urgent": _same,
    "indexed": compact,
    "pending": lambda pending: compact(sorted(pending)),
    "pending_since": _same,
    "last_error": _same,
}
COLUMNS: Final = ", ".join(["tenant", "product_id", *_KEPT])


def product_of(row: Row) -> Product:
    """From `COLUMNS`."""
    (tenant, product_id, attributes, images, content_hash, version, revision, images_revision) = (
        row[:8]
    )
    deleted, date, written, by, bucket, urgent, indexed, pending, since, last_error = row[8:]
    # one call of the decoder costs as much as most of these texts: all of them in one
    said, images, date, by, indexed, pending = json.loads(
        f"[{attributes},{images},{date},{by or 'null'},{indexed},{pending}]"
    )
    return Product(
        tenant=tenant,
        product_id=product_id,
        attributes=attributes_of(said),
        images=tuple(images),
        content_hash=content_hash,
        version=version,
        revision=revision,
        images_revision=images_revision,
        deleted=bool(deleted),
        date=Date(*date),
        written=written,
        written_by=None if by is None else tuple(by),
        bucket=bucket,
        urgent=bool(urgent),
        indexed=indexed,
        pending=frozenset(pending),
        pending_since=since,
        last_error=last_error,
    )


def load(db: sqlite3.Connection, tenant: str, product_id: str) -> Product | None:
    row = db.execute(
        f"SELECT {COLUMNS} FROM products WHERE tenant = ? AND product_id = ?",  # noqa: S608
        (tenant, product_id),
    ).fetchone()
    return None if row is None else product_of(row)


def save(db: sqlite3.Connection, before: Product | None, after: Product, now: int) -> None:
    """Writes what differs, to the document and to its side tables."""
    changed = {
        name: keep(getattr(after, name))
        for name, keep in _KEPT.items()
        if before is None or getattr(before, name) != getattr(after, name)
    }
    if not changed:
        return
    if "attributes" in changed:
        changed["category"] = category_key(after.attributes.category)
    key = (after.tenant, after.product_id)
    if before is None:
        names, marks = ", ".join(changed), ", ?" * len(changed)
        db.execute(
            f"INSERT INTO products (tenant, product_id, {names}) VALUES (?, ?{marks})",  # noqa: S608
            (*key, *changed.values()),
        )
    else:
        values = ", ".join(f"{name} = ?" for name in changed)
        db.execute(
            f"UPDATE products SET {values} WHERE tenant = ? AND product_id = ?",  # noqa: S608
            (*changed.values(), *key),
        )
    _save_pending(db, before, after, now)
    _save_shown(db, frozenset(before.images if before else ()), frozenset(after.images), key)


def erase(db: sqlite3.Connection, doc: Product) -> None:
    """The document and its side rows."""
    key = (doc.tenant, doc.product_id)
    db.execute("DELETE FROM products WHERE tenant = ? AND product_id = ?", key)
    _save_shown(db, frozenset(doc.images), frozenset(), key)


_PENDING_KEY: Final = "target = ? AND tenant = ? AND urgent = ? AND product_id = ?"


def _save_pending(db: sqlite3.Connection, before: Product | None, after: Product, now: int) -> None:
    was = before.pending if before else frozenset[str]()
    urgent = before.urgent if before else after.urgent
    key = (after.tenant, urgent, after.product_id)
    if after.urgent != urgent:
        db.executemany(
            f"UPDATE pending SET urgent = ? WHERE {_PENDING_KEY}",  # noqa: S608
            [(after.urgent, name, *key) for name in was & after.pending],
        )
    if gone := was - after.pending:
        db.executemany(
            f"DELETE FROM pending WHERE {_PENDING_KEY}",  # noqa: S608
            [(name, *key) for name in gone],
        )
    if came := after.pending - was:
        db.executemany(
            "INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?)",
            [
                (name, after.tenant, after.urgent, after.product_id, after.bucket, now)
                for name in came
            ],
        )


def _save_shown(
    db: sqlite3.Connection, was: frozenset[str], shown: frozenset[str], key: tuple[str, str]
) -> None:
    tenant, product_id = key
    if gone := was - shown:
        db.executemany(
            "DELETE FROM shows WHERE tenant = ? AND sha256 = ? AND product_id = ?",
            [(tenant, sha256, product_id) for sha256 in gone],
        )
    if came := shown - was:
        db.executemany(
            "INSERT INTO shows VALUES (?, ?, ?)",
            [(tenant, sha256, product_id) for sha256 in came],
        )
