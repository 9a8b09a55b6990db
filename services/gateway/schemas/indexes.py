"""Indexes, aliases and re-embeddings as callers ask for them and see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from services.gateway.schemas.shapes import Body, View, example
from shared.indexes import Ground, IndexState, TargetKind
from shared.spaces import SpaceName

Declared = Annotated[str, Field(min_length=1, max_length=64)]
Model = Annotated[str, Field(min_length=1, max_length=200)]


class IndexBody(Body):
    """What is not said is as the live index has it."""

    model_config = ConfigDict(
        json_schema_extra=example(shards=4, declared=["size"], targets=["segments"])
    )

    model: Model | None = None
    """A name, `NAME@VERSION` or `mdl_…`."""
    shards: int | None = Field(default=None, ge=1, le=256)
    declared: list[Declared] | None = Field(default=None, max_length=32)
    targets: list[TargetKind] | None = Field(default=None, min_length=1, max_length=2)


class ReembeddingBody(Body):
    """What is not said is as the live index has it."""

    model_config = ConfigDict(json_schema_extra=example(model="shop@2", evaluate=True))

    model: Model
    shards: int | None = Field(default=None, ge=1, le=256)
    targets: list[TargetKind] | None = Field(default=None, min_length=1, max_length=2)
    evaluate: bool = True


class BuildView(View):
    """How far an index is behind the catalogue: nothing waits where it is complete."""

    products: int
    """In the catalogue."""
    pending: Mapping[TargetKind, int]
    """Products that a target has to follow yet."""
    images: int
    images_unembedded: int
    """Pictures without a vector of its model."""


class IndexView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            index_id="idx_01jd",
            model="small",
            fingerprint="9f86d081…",
            spaces={"content": 256, "colour": 24},
            shards=1,
            targets=["segments"],
            declared=[],
            state="building",
            aliases=[],
            takes_over=None,
            created_at="2026-03-01T12:00:00Z",
            generation=7,
            size=81920,
            build={
                "products": 100,
                "pending": {"segments": 12},
                "images": 180,
                "images_unembedded": 30,
            },
            job_id="index-idx_01jd-1772366400000",
        )
    )

    index_id: str
    model: str
    fingerprint: str
    spaces: Mapping[SpaceName, int]
    shards: int
    targets: tuple[TargetKind, ...]
    declared: tuple[str, ...]
    state: IndexState
    aliases: list[str]
    takes_over: str | None
    """The alias that moves here by itself once everything is in it."""
    created_at: datetime
    generation: int
    """The lowest of its shards."""
    size: int
    """Bytes of its segments."""
    build: BuildView
    job_id: str


class IndexesView(View):
    model_config = ConfigDict(json_schema_extra=example(indexes=[]))

    indexes: list[IndexView]


class AliasBody(Body):
    model_config = ConfigDict(json_schema_extra=example(index_id="idx_01jd"))

    index_id: str = Field(min_length=1, max_length=200)
    force: bool = False
    reason: str | None = Field(default=None, max_length=1_000)


class RollbackBody(Body):
    model_config = ConfigDict(
        json_schema_extra=example(reason="Dresses were found by colour alone.")
    )

    reason: str | None = Field(default=None, max_length=1_000)


class MoveView(View):
    """`at` is null for a move from before moves were remembered."""

    index_id: str
    at: datetime | None
    by: str
    ground: Ground
    forced: bool
    reason: str | None


class AliasView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            name="live",
            index_id="idx_01jd",
            version=2,
            before="idx_01ja",
            moves=[
                {
                    "index_id": "idx_01jd",
                    "at": "2026-03-01T12:00:00Z",
                    "by": "key_01jd",
                    "ground": "passed",
                    "forced": False,
                    "reason": None,
                }
            ],
        )
    )

    name: str
    index_id: str
    version: int
    before: str | None
    """Where a rollback leads."""
    moves: list[MoveView]


class AliasesView(View):
    model_config = ConfigDict(json_schema_extra=example(aliases=[]))

    aliases: list[AliasView]
