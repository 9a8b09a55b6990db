"""Indexes as documents: named generations of shards, and the pointers that a commit swaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.spaces import Spaces

IndexState = Literal["building", "ready", "retired"]
TargetKind = Literal["segments", "elasticsearch"]


@dataclass(frozen=True, slots=True)
class Index:
    """Shards for one model; `targets` are what every write names as pending from `created` on."""

    index_id: str
    tenant: str
    model: str
    spaces: Spaces
    shards: int
    targets: tuple[TargetKind, ...]
    declared: tuple[str, ...]
    """Names of `custom` fields that can be filtered."""
    state: IndexState
    created: int

    def target_names(self) -> frozenset[str]:
        return frozenset(target(self.index_id, kind) for kind in self.targets)


def target(index_id: str, kind: TargetKind) -> str:
    """How documents name a backend of an index: `index/segments`."""
    return f"{index_id}/{kind}"


@dataclass(frozen=True, slots=True)
class Pointer:
    """The one thing a commit changes: which manifest is the shard's, and how often it changed."""

    index_id: str
    shard: int
    generation: int = 0
    manifest: str | None = None
    """Blob key; None while the shard is empty."""
    as_of: int = 0
    rebuilding: int | None = None
    """The generation whose commit emptied the shard, until all its products were bumped."""
    replicas: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Readers by id: (generation they show, when they said so)."""


@dataclass(frozen=True, slots=True)
class Alias:
    tenant: str
    name: str
    index_id: str
    version: int
