"""Backends, categories, totals and keys as callers see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from services.gateway.schemas.shapes import Body, View, example
from shared.products import Backend


class BackendView(View):
    """`pending` products wait for it, the oldest since `pending_since`."""

    name: Backend
    configured: bool
    healthy: bool
    reason: str | None
    pending: int
    pending_since: datetime | None


class BackendsView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            index="idx_1",
            backends=[
                {
                    "name": "elasticsearch",
                    "configured": False,
                    "healthy": False,
                    "reason": "Set LOOKALIKE_ELASTICSEARCH to use it.",
                    "pending": 0,
                    "pending_since": None,
                }
            ],
        )
    )

    index: str
    backends: list[BackendView]


class CategoryView(View):
    """A category with all products in it and under it."""

    name: str
    path: tuple[str, ...]
    products: int
    children: list["CategoryView"]


class CategoriesView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            categories=[{"name": "Home", "path": ["Home"], "products": 2, "children": []}]
        )
    )

    categories: list[CategoryView]


class StatsView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            products=100,
            images=180,
            images_waiting={"fp": 0},
            pending={"idx_1/segments": 0},
            queues={"embed_now": 0},
        )
    )

    products: int
    images: int
    images_waiting: Mapping[str, int]
    pending: Mapping[str, int]
    queues: Mapping[str, int]


class KeyBody(Body):
    model_config = ConfigDict(
        json_schema_extra=example(kind="search", label="shop window", origins=["https://a.example"])
    )

    kind: Literal["search", "admin"]
    label: str = Field(default="", max_length=200)
    origins: list[str] = Field(default=[], max_length=32)
    expires_in_days: int | None = Field(default=None, ge=1, le=3_650)


class KeyView(View):
    """`key` itself is in the answer that makes it, and never again."""

    model_config = ConfigDict(
        json_schema_extra=example(
            key_id="key_01jd",
            kind="search",
            label="shop window",
            created_at="2026-03-01T12:00:00Z",
            expires_at=None,
            origins=[],
            revoked=False,
            key="lk_search_…",
        )
    )

    key_id: str
    kind: Literal["search", "admin"]
    label: str
    created_at: datetime
    expires_at: datetime | None
    origins: tuple[str, ...]
    revoked: bool
    key: str | None = None


class KeysView(View):
    model_config = ConfigDict(json_schema_extra=example(keys=[]))

    keys: list[KeyView]


class ReadyView(View):
    model_config = ConfigDict(json_schema_extra=example(status="ready"))

    status: Literal["ready", "alive"]
