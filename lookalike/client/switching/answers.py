"""What the server answers about indexes and aliases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Build:
    """How far an index is behind the catalogue; nothing waits where it is complete."""

    products: int
    pending: Mapping[str, int]
    images: int
    images_unembedded: int

    @property
    def behind(self) -> int:
        """Products that the slowest target has to follow yet."""
        return max(self.pending.values(), default=0)


@dataclass(frozen=True, slots=True)
class Index:
    """A generation of shards for one model; `job_id` is its building, `size` its bytes."""

    index_id: str
    model: str
    fingerprint: str
    spaces: Mapping[str, int]
    shards: int
    targets: tuple[str, ...]
    declared: tuple[str, ...]
    state: Literal["building", "ready", "retired"]
    aliases: tuple[str, ...]
    takes_over: str | None
    created_at: datetime
    generation: int
    size: int
    build: Build
    job_id: str


@dataclass(frozen=True, slots=True)
class Indexes:
    indexes: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """One turn of an alias; `ground` is what let it move."""

    index_id: str
    at: datetime | None
    by: str
    ground: str
    forced: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Alias:
    """`moves`: the latest first; `before` is where a rollback leads."""

    name: str
    index_id: str
    version: int
    before: str | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Aliases:
    aliases: tuple[Alias, ...]
