"""The indexes; every named operation finds what it wants by one of these or by `_id`.

A fresh collection has them before its first document. While one that is added later is built, over
documents that are there, the processes that know it find the catalogue unavailable.
"""

from collections.abc import Mapping
from typing import Any, Final

from pymongo import IndexModel


def _by(*fields: str, **more: Any) -> IndexModel:
    return IndexModel([(field, 1) for field in fields], **more)


_LIVING: Final = {"partialFilterExpression": {"deleted": False}}

INDEXES: Final[Mapping[str, tuple[IndexModel, ...]]] = {
    "products": (
        # pending, count_pending
        _by(
            *("pending.target", "tenant", "urgent", "product_id", "bucket"),
            partialFilterExpression={"pending_since": {"$gt": 0}},
        ),
        # bump_showing, shown
        _by("tenant", "images"),
        # digests, count
        _by("tenant", "bucket", **_LIVING),
        # categories
        _by("tenant", "category", **_LIVING),
        # tombstones
        _by("pending_since", "written", partialFilterExpression={"deleted": True}),
    ),
    "images": (
        # claimable, unembedded
        _by("open", "tenant", "sha256"),
        # claimable, when it is narrowed to images
        _by("sha256"),
        # page, count
        _by("tenant", "sha256"),
        # whether any has not heard of a fingerprint
        _by("asked"),
        # names_blob
        _by("place.blob"),
        _by("thumbnail.blob", sparse=True),
    ),
    "imports": (
        # recent
        _by("tenant", "created", "import_id"),
        # unfinished
        _by("state", "created", "import_id"),
    ),
    "chunks": (
        # chunks
        _by("import_id", "number"),
        # waiting
        _by("import_id", "state", "attempts", "number"),
    ),
    # page, of all letters and of those of one import
    "dead": (_by("tenant", "key"), _by("tenant", "source", "key")),
    # all
    "indexes": (_by("tenant", "created", "index_id"),),
    # drop
    "pointers": (_by("index_id"),),
    # pointer, drop
    "replicas": (_by("index_id", "shard"),),
    # keys, revoke_key
    "keys": (_by("tenant", "key_id"),),
    # upload_names_blob, uploads_before
    "uploads": (_by("parts.blob"), _by("touched")),
    # remember sweeps what is old
    "idempotency": (_by("at"),),
    # remember forgets what is old
    "fetches": (_by("at"),),
    # get, remove; all; of_fingerprint; names_blob
    "models": (
        _by("tenant", "model_id"),
        _by("tenant", "name", "created", "model_id"),
        _by("fingerprint", "created", "model_id"),
        _by("archive"),
    ),
    # jobs, unfinished_jobs
    "jobs": (_by("tenant", "created", "job_id"), _by("kind", "state", "created", "job_id")),
}
