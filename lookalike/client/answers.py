"""What the server answers, as frozen dataclasses; times are aware, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from lookalike.client.options import Format, Scalar

FINISHED: Final = frozenset({"succeeded", "partially_succeeded", "failed", "cancelled"})
JobState = Literal[
    "queued", "running", "paused", "succeeded", "partially_succeeded", "failed", "cancelled"
]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write; `state` is how far it is on its way to being found."""

    product_id: str
    status: Literal["created", "changed", "unchanged"]
    version: int
    state: Literal["searchable", "pending", "rejected", "deleted"]
    images: tuple[str, ...]
    presence: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    sha256: str
    thumbnail_url: str
    url: str
    media_type: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it stands in the catalogue."""

    product_id: str
    title: str
    brand: str | None
    category: tuple[str, ...]
    price: float | None
    currency: str | None
    in_stock: bool | None
    tags: tuple[str, ...]
    url: str | None
    custom: Mapping[str, Scalar]
    images: tuple[Picture, ...]
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ImagePresence:
    sha256: str
    state: Literal["embedded", "waiting", "failed"]
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TargetPresence:
    """A backend of an index: what it has, and whether every reader shows it."""

    target: str
    revision: int
    searchable: bool
    indexed: int | None = None
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class IndexPresence:
    index: str
    state: str
    images: tuple[ImagePresence, ...]
    targets: tuple[TargetPresence, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a product is: every stage, every backend, or the reason why it is not found."""

    product_id: str
    state: Literal["searchable", "pending", "rejected", "deleted"]
    reason: str | None
    version: int
    revision: int
    pending_since: datetime | None
    indexes: tuple[IndexPresence, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    product_id: str
    image: str
    rank: int
    similarity: float
    spaces: Mapping[str, float]
    thumbnail_url: str
    title: str
    brand: str | None
    category: tuple[str, ...]
    price: float | None
    currency: str | None
    in_stock: bool | None
    url: str | None
    version: int


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    field: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class Meta:
    """How the answer was found; `partial` when a part of the index did not answer."""

    backend: str
    plan: str
    rows_seen: int
    index: str
    generation: int
    as_of: datetime
    partial: bool
    shards: Mapping[str, Any]
    timings_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    search_id: str
    hits: tuple[Hit, ...]
    facets: tuple[Facet, ...]
    next_cursor: str | None
    meta: Meta


@dataclass(frozen=True, slots=True)
class Upload:
    """One that came in parts has no `sha256`."""

    upload_id: str
    size: int
    media_type: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of records: `created` is a part of `imported`, and all but the last three add up
    to `read`.
    """

    read: int
    imported: int
    unchanged: int
    superseded: int
    duplicate: int
    failed: int
    left_out: int
    created: int
    pictures: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Import:
    """`records` is what is known of the source's length so far, `eta_seconds` a guess.

    `findings` of a full feed are `deleted` or `would_delete`, of a dry run the biggest `categories`.
    """

    import_id: str
    format: Format
    state: JobState
    mode: Literal["upsert", "replace"]
    dry_run: bool
    created_at: datetime
    updated_at: datetime
    size: int
    scanned: int
    planned: bool
    records: int
    counters: Counters
    chunks: Mapping[str, int]
    records_per_second: float | None
    eta_seconds: float | None
    detail: str | None
    findings: Mapping[str, Any]

    @property
    def job_id(self) -> str:
        """An import is watched as the job of the same id."""
        return self.import_id


@dataclass(frozen=True, slots=True)
class Job:
    job_id: str
    kind: str
    state: JobState
    created_at: datetime
    updated_at: datetime
    progress: Mapping[str, Any]
    detail: str | None

    @property
    def finished(self) -> bool:
        return self.state in FINISHED


@dataclass(frozen=True, slots=True)
class Backend:
    """`pending` products wait for it, the oldest since `pending_since`."""

    name: str
    configured: bool
    healthy: bool
    reason: str | None
    pending: int
    pending_since: datetime | None


@dataclass(frozen=True, slots=True)
class Backends:
    index: str
    backends: tuple[Backend, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    products: int
    images: int
    images_waiting: Mapping[str, int]
    pending: Mapping[str, int]
    queues: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Key:
    """`key` itself is in the answer that makes it, and never again."""

    key_id: str
    kind: Literal["search", "admin"]
    label: str
    created_at: datetime
    expires_at: datetime | None
    origins: tuple[str, ...]
    revoked: bool
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something given up on, with the reason."""

    key: str
    kind: Literal["image", "product", "record", "chunk"]
    code: str
    detail: str
    first_seen: datetime
    attempts: int
    import_id: str | None
    offset: int | None
    thumbnail_url: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    dead_letters: tuple[DeadLetter, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Twin:
    """`distance`: bits of the perceptual hash that differ from the group's first picture."""

    sha256: str
    imported: bool
    distance: int
    product_ids: tuple[str, ...]
    thumbnail_url: str
    url: str


@dataclass(frozen=True, slots=True)
class Twins:
    """One photo in several savings, what was there first; of `count` pictures the first are named."""

    count: int
    pictures: tuple[Twin, ...]
    showing_several: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """A page of an import's report; `groups` and `pictures` are counted over all pages."""

    groups: int
    pictures: int
    duplicates: tuple[Twins, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Replay:
    """`left` cannot be tried again from here, each with the reason."""

    replayed: int
    left: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ready:
    status: str
