"""Indexes as documents: named generations of shards, the pointers that a commit swaps, and aliases."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from shared.spaces import Spaces

IndexState = Literal["building", "ready", "retired"]
"""A retired one is dropped as soon as the indexer hears of it."""
TargetKind = Literal["segments", "elasticsearch"]
LIVE: Final = "live"
"""The alias that searches ask unless they say otherwise."""


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
    alias: str | None = None
    """Which alias moves here by itself once everything is in it."""

    def target_names(self) -> frozenset[str]:
        return frozenset(target(self.index_id, kind) for kind in self.targets)


def build_job_id(index: Index) -> str:
    """The job that shows how far an index is."""
    return f"index-{index.index_id}-{index.created}"


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


Ground = Literal["built", "chosen", "same_model", "passed", "forced", "rolled_back"]
"""What let an alias move: its index was built for it, nothing or the same model was there before, an
exam, a person who took it upon themselves, or that it had been there before."""


@dataclass(frozen=True, slots=True)
class Why:
    """Who moves an alias, on what ground, and what they say to it."""

    ground: Ground = "built"
    by: str = "house"
    """A key's id, or `house` where nobody asked."""
    reason: str | None = None
    fingerprint: str | None = None
    """Of the model of the index, which may be dropped one day."""


BUILT: Final = Why()


@dataclass(frozen=True, slots=True)
class Move:
    """One turn of an alias."""

    index_id: str
    at: int
    why: Why


KEPT_MOVES: Final = 50


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for an index; every move is a version, and the last ones are remembered."""

    tenant: str
    name: str
    index_id: str
    version: int
    moves: tuple[Move, ...] = ()
    """The latest first."""

    @property
    def before(self) -> str | None:
        """Where a rollback leads: each one takes back a move that was not taken back yet."""
        trail: list[str] = []
        for move in reversed(self.moves):
            if move.why.ground == "rolled_back" and len(trail) > 1:
                trail.pop()
            else:
                trail.append(move.index_id)
        return trail[-2] if len(trail) > 1 else None

    def moved(self, move: Move) -> "Alias":
        """The next version; one from before moves were remembered begins with where it stood."""
        known = self.moves or ((Move(self.index_id, 0, BUILT),) if self.version else ())
        moves = (move, *known)[:KEPT_MOVES]
        return replace(self, index_id=move.index_id, version=self.version + 1, moves=moves)


def unset(tenant: str, name: str) -> Alias:
    """What an alias is before its first move: version 0, on nothing."""
    return Alias(tenant, name, "", 0)
