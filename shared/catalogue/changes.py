"""What a write makes of a product's document: the rules of who may and what changes, without I/O."""

from dataclasses import replace

from shared.catalogue.products import Outcome, ProductWrite
from shared.products import Attributes, Date, Origin, Product, bucket_of, content_hash


def upserted(doc: Product | None, write: ProductWrite, now: int) -> Outcome:
    """The document as `write` wants it, or why not."""
    if now > write.not_after:  # rule: write_deadline
        return Outcome("late", None)
    if doc is not None and not _accepts(doc, write):
        return Outcome("superseded", doc)
    if write.if_version is not None and write.if_version != _visible_version(doc):
        return Outcome("mismatch", doc)
    if doc is None:
        return Outcome("created", _created(write, now))
    again = write.origin is not None and _stamp(write, now) == (doc.date, doc.written_by)
    digest = content_hash(write.attributes, write.images)
    if digest == doc.content_hash and not doc.deleted:  # rule: unchanged_not_deleted
        return Outcome("unchanged", _stamped(doc, write, now), again)
    return Outcome("changed", _changed(doc, write, digest, now), again)


def patched(
    doc: Product | None,
    attributes: Attributes,
    targets: frozenset[str],
    *,
    revision: int,
    not_after: int,
    now: int,
) -> Outcome:
    """Other attributes, same images; a request like any other, so it is dated by the clock."""
    if now > not_after:  # rule: write_deadline
        return Outcome("late", None)
    if doc is None or doc.deleted:
        return Outcome("missing", doc)
    if doc.revision != revision:
        return Outcome("mismatch", doc)
    digest = content_hash(attributes, doc.images)
    changed = replace(doc, attributes=attributes, content_hash=digest, version=doc.version + 1)
    return Outcome("changed", bumped(_requested(changed, now), targets, now))


def tombstoned(
    doc: Product | None,
    targets: frozenset[str],
    *,
    if_version: int | None,
    not_after: int,
    now: int,
) -> Outcome:
    """Deleted, with its attributes and images kept; deleted again, only dated."""
    if now > not_after:  # rule: write_deadline
        return Outcome("late", None)
    if doc is None:
        return Outcome("missing", None)
    if if_version is not None and if_version != _visible_version(doc):
        return Outcome("mismatch", doc)
    dated = _requested(doc, now)
    if doc.deleted:
        return Outcome("unchanged", dated)
    buried = replace(dated, deleted=True, version=doc.version + 1)
    return Outcome("changed", bumped(buried, targets, now))


def withdrawn(
    doc: Product, origin: Origin, targets: frozenset[str], *, not_after: int, now: int
) -> Product | None:
    """Deleted by a full feed that does not name it; None where somebody newer wrote it."""
    if now > not_after or doc.deleted:  # rule: write_deadline
        return None
    if doc.date > origin.date:  # rule: import_precedence
        return None
    dated = replace(
        doc,
        date=origin.date,  # rule: dated_imports
        written=now,
        written_by=(origin.import_id, origin.offset),
    )
    return bumped(replace(dated, deleted=True, version=doc.version + 1), targets, now)


def bumped(doc: Product, targets: frozenset[str], now: int, *, images: bool = False) -> Product:
    """One revision further, and these targets have to follow."""
    revision = doc.revision + 1
    moved = replace(
        doc, revision=revision, images_revision=revision if images else doc.images_revision
    )
    return waiting(moved, doc.pending | targets, now)


def waiting(doc: Product, pending: frozenset[str], now: int) -> Product:
    """The document with these targets pending, and with what follows from there being any."""
    if not pending:
        return replace(doc, pending=pending, pending_since=None, urgent=False)
    since = now if doc.pending_since is None else doc.pending_since
    return replace(doc, pending=pending, pending_since=since)


def marked(doc: Product, target: str, revision: int, now: int) -> Product | None:
    """Confirmed by a target; None when the document moved on since it was read."""
    if doc.revision != revision:  # rule: guarded_mark
        return None
    confirmed = replace(doc, indexed={**doc.indexed, target: revision})
    return waiting(confirmed, doc.pending - {target}, now)


def put_back(doc: Product, target: str, now: int) -> Product:
    """A revision further for a target that holds an older one; whoever has the product follows."""
    # rule: mark_puts_back
    return bumped(doc, frozenset({target}) | doc.indexed.keys(), now)


def rebuilt(doc: Product, target: str, now: int) -> Product:
    """To be indexed again from nothing by this target; whoever else has it follows the revision."""
    indexed = {name: revision for name, revision in doc.indexed.items() if name != target}
    following = frozenset({target}) | indexed.keys()
    # rule: rebuild_bumps
    return bumped(replace(doc, indexed=indexed), following, now, images=True)


def without_targets(doc: Product, targets: frozenset[str], now: int) -> Product:
    """As if these targets had never been."""
    indexed = {name: revision for name, revision in doc.indexed.items() if name not in targets}
    return waiting(replace(doc, indexed=indexed), doc.pending - targets, now)


def _accepts(doc: Product, write: ProductWrite) -> bool:
    # rule: import_precedence
    return write.origin is None or doc.date <= write.origin.date


def _visible_version(doc: Product | None) -> int:
    """What a caller may expect to write over: a deleted product is none."""
    return 0 if doc is None or doc.deleted else doc.version


def _stamp(write: ProductWrite, now: int) -> tuple[Date, tuple[str, int] | None]:
    # rule: dated_imports
    if write.origin is None:
        return Date(now), None
    return write.origin.date, (write.origin.import_id, write.origin.offset)


def _created(write: ProductWrite, now: int) -> Product:
    date, by = _stamp(write, now)
    fresh = Product(
        tenant=write.tenant,
        product_id=write.product_id,
        attributes=write.attributes,
        images=write.images,
        content_hash=content_hash(write.attributes, write.images),
        version=1,
        revision=now,  # rule: revision_from_clock
        images_revision=now,
        deleted=False,
        date=date,
        written=now,
        written_by=by,
        bucket=bucket_of(write.tenant, write.product_id),
        urgent=write.urgent,
    )
    return waiting(fresh, write.targets, now)


def _changed(doc: Product, write: ProductWrite, digest: str, now: int) -> Product:
    anew = doc.deleted or doc.images != write.images  # rule: recreate_bumps_images
    changed = replace(
        _stamped(doc, write, now),
        attributes=write.attributes,
        images=write.images,
        content_hash=digest,
        deleted=False,
        version=doc.version + 1,
        urgent=doc.urgent or write.urgent,
    )
    return bumped(changed, write.targets, now, images=anew)


def _stamped(doc: Product, write: ProductWrite, now: int) -> Product:
    # rule: unchanged_stamps
    date, by = _stamp(write, now)
    urgent = doc.urgent or (write.urgent and bool(doc.pending))
    return replace(doc, date=date, written=now, written_by=by, urgent=urgent)


def _requested(doc: Product, now: int) -> Product:
    return replace(doc, date=Date(now), written=now, written_by=None)
