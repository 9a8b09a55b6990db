"""Named operations on product documents; each is one atomic update of one document."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.products import Attributes, Origin, Product

Status = Literal[
    "created",
    "changed",
    "unchanged",
    "superseded",  # somebody newer wrote it
    "late",  # the write's deadline had passed by the store's clock
    "mismatch",  # not the version or revision that the writer expected
    "missing",  # nothing there to patch or delete
]


@dataclass(frozen=True, slots=True)
class ProductWrite:
    """A whole product as its writer wants it. `not_after` is compared with the store's clock."""

    tenant: str
    product_id: str
    attributes: Attributes
    images: tuple[str, ...]
    targets: frozenset[str]
    not_after: int
    origin: Origin | None = None
    urgent: bool = False
    if_version: int | None = None
    """Only over this version; 0 means only where there is none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write. `again`: the document came from this very record already."""

    status: Status
    product: Product | None
    again: bool = False

    @property
    def accepted(self) -> bool:
        return self.status in ("created", "changed", "unchanged")


@dataclass(frozen=True, slots=True)
class BucketDigest:
    """What an audit compares: how many products are in a bucket, and a sum over id and revision."""

    bucket: int
    count: int
    digest: int


class Products(Protocol):
    """Rules that every adapter keeps: unchanged_not_deleted, unchanged_stamps, dated_imports,
    import_precedence, duplicate_key_retries, write_deadline, revision_from_clock,
    recreate_bumps_images, guarded_mark, mark_puts_back, tombstone_confirmed, removal_guarded,
    arrival_bumps.

    Every change of content or deletion is `version + 1`; everything that a backend has to follow
    is `revision + 1` and puts `targets` into `pending`. A document never loses a pending target
    but by `mark` or `forget_targets`.
    """

    def upsert(self, writes: Sequence[ProductWrite]) -> list[Outcome]:
        """In order, one outcome a write; one that is refused stops no other."""
        ...

    def patch(
        self,
        tenant: str,
        product_id: str,
        *,
        revision: int,
        attributes: Attributes,
        targets: frozenset[str],
        not_after: int,
    ) -> Outcome:
        """New attributes, only where the revision is still the one that was read."""
        ...

    def delete(
        self,
        tenant: str,
        product_id: str,
        *,
        targets: frozenset[str],
        not_after: int,
        if_version: int | None = None,
    ) -> Outcome:
        """A tombstone; deleting again only dates it."""
        ...

    def unseen(self, tenant: str, before: int, limit: int, after: str = "") -> list[str]:
        """Living products dated before that millisecond, by id."""
        ...

    def count_unseen(self, tenant: str, before: int) -> int: ...

    def withdraw(
        self,
        tenant: str,
        product_ids: Sequence[str],
        *,
        origin: Origin,
        targets: frozenset[str],
        not_after: int,
    ) -> list[str]:
        """Tombstones dated by an import that does not name the products.

        The ids that stay: written since the import was created, deleted, gone, or too late.
        """
        ...

    def get(self, tenant: str, product_ids: Collection[str]) -> dict[str, Product]:
        """Those that there are, tombstones too."""
        ...

    def page(self, tenant: str, after: str = "", limit: int = 500) -> list[Product]:
        """By id, tombstones too; for scans."""
        ...

    def pending(
        self, tenant: str, target: str, buckets: range, limit: int, after: str = ""
    ) -> list[str]:
        """Ids that wait for a target, urgent ones first, then by id; `after` leaves out ids up to it."""
        ...

    def mark(self, tenant: str, target: str, done: Sequence[tuple[str, int]]) -> list[str]:
        """For (id, revision as read): indexed; pending no more, where the revision is still that one.

        Answers the ids that had moved on or are gone.
        """
        ...

    def put_back(self, tenant: str, target: str, product_id: str) -> bool:
        """Revision + 1, and pending for the target and for all that have the product.

        An Elasticsearch mark came late. False: gone.
        """
        ...

    def bump_showing(
        self, tenant: str, sha256s: Collection[str], *, targets: frozenset[str], not_after: int
    ) -> int | None:
        """Revision + 1, images_revision = revision, pending += targets, once for every product
        that shows any of the images (tombstones too); how many. None when it was too late for one.
        """
        ...

    def add_pending(self, tenant: str, targets: frozenset[str], product_ids: Sequence[str]) -> None:
        """Backfill and audit: to be looked at by these targets; the revision stays."""
        ...

    def rebuild(self, tenant: str, target: str, product_ids: Sequence[str]) -> None:
        """Revision and images_revision + 1, `indexed` of the target forgotten; pending for it and
        for all others that have the product.
        """
        ...

    def forget_targets(self, tenant: str, targets: frozenset[str]) -> None:
        """A dropped index is waited for no more."""
        ...

    def shown(self, tenant: str, sha256: str) -> bool:
        """Whether any product that is not deleted shows the image."""
        ...

    def showing(self, tenant: str, sha256s: Collection[str], each: int) -> dict[str, list[str]]:
        """For every image the first ids, `each` at most, of products not deleted that show it."""
        ...

    def tombstones(self, written_before: int, limit: int) -> list[Product]:
        """Deleted documents with nothing pending, of any tenant."""
        ...

    def remove(self, tenant: str, product_id: str, *, revision: int, written: int) -> bool:
        """A tombstone's end: only as it was read, and only with nothing pending."""
        ...

    def digests(self, tenant: str, target: str, buckets: range) -> list[BucketDigest]:
        """Per bucket over products that are not deleted and not pending for the target."""
        ...

    def count(self, tenant: str) -> int:
        """Products that are not deleted."""
        ...

    def count_pending(self, target: str) -> tuple[int, int | None]:
        """How many wait for a target, of any tenant, and since when the oldest does."""
        ...

    def categories(self, tenant: str) -> dict[tuple[str, ...], int]:
        """Products per whole category path."""
        ...
