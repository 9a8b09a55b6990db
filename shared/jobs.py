"""Long work that a caller can watch: imports, and whatever else takes more than a minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JobState = Literal[
    "queued", "running", "paused", "succeeded", "partially_succeeded", "failed", "cancelled"
]
FINISHED: frozenset[JobState] = frozenset(
    {"succeeded", "partially_succeeded", "failed", "cancelled"}
)
ChunkState = Literal["waiting", "done", "failed", "cancelled"]


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
    """What became of records: `read` is the sum of the others."""

    imported: int = 0
    unchanged: int = 0
    superseded: int = 0
    duplicate: int = 0
    failed: int = 0
    pictures: int = 0
    embedded: int = 0

    @property
    def read(self) -> int:
        return self.imported + self.unchanged + self.superseded + self.duplicate + self.failed


@dataclass(frozen=True, slots=True)
class Import:
    """A catalogue on its way in. `source` is a blob key, or a file under an allowed root (`file:`)."""

    import_id: str
    tenant: str
    format: Literal["bson"]
    source: str
    size: int
    created: int
    state: JobState
    categories: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    limit: int | None = None
    scanned: int = 0
    """How far the source has been divided into chunks; a plan goes on from here."""
    planned: bool = False
    detail: str | None = None


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
    counters: Counters = Counters()


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
