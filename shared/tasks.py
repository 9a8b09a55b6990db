"""Everything one service may ask of another through the queue: doorbells with keys, never data."""

from dataclasses import dataclass
from typing import Final, Literal

from shared.indexes import Index, TargetKind

QueueName = Literal["embed_now", "embed_bulk", "index", "build", "train"]


@dataclass(frozen=True, slots=True)
class EmbedImages:
    """Embed what lacks a vector of this fingerprint; these images first, or whatever is waiting."""

    fingerprint: str
    tenant: str | None = None
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanImport:
    """Divide an import's source into chunks, from where the plan stopped."""

    import_id: str


@dataclass(frozen=True, slots=True)
class ImportChunk:
    """Bring in one chunk."""

    import_id: str
    number: int


@dataclass(frozen=True, slots=True)
class FinishImport:
    """What is left when all chunks of an import are done, down to its last state."""

    import_id: str


@dataclass(frozen=True, slots=True)
class RegisterModel:
    """Try a model that was handed in, and register it where it is right."""

    tenant: str
    job_id: str


@dataclass(frozen=True, slots=True)
class SyncShard:
    """Write the pending products of a shard into a new segment."""

    index: str
    shard: int


@dataclass(frozen=True, slots=True)
class SyncElasticsearch:
    """Write the pending products of a shard's buckets into Elasticsearch."""

    index: str
    shard: int


@dataclass(frozen=True, slots=True)
class CompactShard:
    """Merge a shard's segments where a tier is full."""

    index: str
    shard: int


@dataclass(frozen=True, slots=True)
class BuildIndex:
    """Go on with building an index, or with rebuilding a shard of it."""

    index: str


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Hold an exam, or hold it again where a worker died over it."""

    tenant: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Train:
    """Carry out a training, or go on with one whose worker died."""

    tenant: str
    job_id: str


Task = (
    EmbedImages
    | PlanImport
    | ImportChunk
    | FinishImport
    | RegisterModel
    | SyncShard
    | SyncElasticsearch
    | CompactShard
    | BuildIndex
    | Evaluate
    | Train
)

QUEUES: Final[dict[type[Task], QueueName]] = {
    EmbedImages: "embed_bulk",
    PlanImport: "embed_bulk",
    ImportChunk: "embed_bulk",
    FinishImport: "embed_bulk",
    RegisterModel: "embed_bulk",
    SyncShard: "index",
    SyncElasticsearch: "index",
    CompactShard: "build",
    BuildIndex: "build",
    Evaluate: "build",
    Train: "train",
}


def queue_of(task: Task) -> QueueName:
    """Named images are somebody's who waits."""
    if isinstance(task, EmbedImages) and task.images:
        return "embed_now"
    return QUEUES[type(task)]


def sync_of(index: Index, kind: TargetKind, shard: int) -> SyncShard | SyncElasticsearch:
    """What a target is rung with, to follow in one shard's buckets."""
    match kind:
        case "segments":
            return SyncShard(index.index_id, shard)
        case "elasticsearch":
            return SyncElasticsearch(index.index_id, shard)


def syncs_of(index: Index, shard: int) -> list[Task]:
    """For every target of an index."""
    return [sync_of(index, kind, shard) for kind in index.targets]
