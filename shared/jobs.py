"""Long work that a caller can watch: imports, and whatever else takes more than a minute."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

JobState = Literal[
    "queued", "running", "paused", "succeeded", "partially_succeeded", "failed", "cancelled"
]
FINISHED: frozenset[JobState] = frozenset(
    {"succeeded", "partially_succeeded", "failed", "cancelled"}
)
Format = Literal["bson", "jsonl", "csv", "parquet", "folder", "imaterialist"]
ChunkState = Literal["waiting", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """Work on its way; for an import, `job_id` is the import's id and `progress` its counters."""

    job_id: str
    tenant: str
    kind: str
    state: JobState
    created: int
    updated: int
    progress: Mapping[str, Any] = field(default_factory=dict)
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of records: `read` is the sum of the first six."""

    imported: int = 0
    unchanged: int = 0
    superseded: int = 0
    duplicate: int = 0
    failed: int = 0
    left_out: int = 0
    """Not drawn for the sample."""
    created: int = 0
    """The part of `imported` that was not there before."""
    pictures: int = 0
    embedded: int = 0

    @property
    def read(self) -> int:
        brought = self.imported + self.unchanged + self.superseded + self.duplicate
        return brought + self.failed + self.left_out

    def __add__(self, other: "Counters") -> "Counters":
        both = zip(astuple(self), astuple(other), strict=True)
        return Counters(*(one + another for one, another in both))


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller asked of an import; `categories` is the blob of their names."""

    mapping: Mapping[str, Any] = field(default_factory=dict)
    categories: str | None = None
    label: str | None = None
    download: bool = False
    limit: int | None = None
    sample: float | None = None
    """The share of records to bring in, chosen by their product's id."""
    on_error: Literal["skip", "stop"] = "skip"
    dry_run: bool = False
    mode: Literal["upsert", "replace"] = "upsert"
    max_deleted: float = 0.1
    """The share of products that a full feed may delete by not naming them."""


@dataclass(frozen=True, slots=True)
class Import:
    """A catalogue on its way in. `source` is a name that `shared.places` knows."""

    import_id: str
    tenant: str
    format: Format
    source: str
    size: int
    created: int
    state: JobState
    options: Options = Options()
    scanned: int = 0
    """How far the source has been divided into chunks; a plan goes on from here."""
    chunks: int = 0
    records: int = 0
    """In the chunks up to `scanned`."""
    planned: bool = False
    detail: str | None = None
    updated: int = 0
    """When the state last changed."""
    findings: Mapping[str, Any] = field(default_factory=dict)
    """What was found on the way: how the source is written, what was deleted, a report's blob."""

    @property
    def read_from(self) -> tuple[str, int]:
        """The source and its size in bytes, or those of the copy of it that was staged."""
        staged = self.findings.get("staged")
        return (staged["blob"], staged["size"]) if staged else (self.source, self.size)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One byte range of an import: the unit of bulk work."""

    import_id: str
    number: int
    offset: int
    length: int
    records: int
    state: ChunkState = "waiting"
    attempts: int = 0
    lease_until: int = 0
    ended: int = 0
    counters: Counters = Counters()
    categories: Mapping[str, int] = field(default_factory=dict)
    """Of a dry run: products a category, its levels divided by ` > `."""


@dataclass(frozen=True, slots=True)
class Tally:
    """An import's chunks added up; `lately` are the records of those that ended since a moment."""

    counters: Counters = Counters()
    waiting: int = 0
    done: int = 0
    failed: int = 0
    lately: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An item given up on, with the reason, kept where it can be seen and replayed."""

    key: str
    tenant: str
    kind: Literal["image", "product", "record", "chunk"]
    code: str
    detail: str
    first_seen: int
    attempts: int = 1
    source: tuple[str, int] | None = None
    """(import, offset)."""
