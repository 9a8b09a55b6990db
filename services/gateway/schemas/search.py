"""Queries and answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.gateway.schemas.shapes import Body, View, example
from shared.errors import Flaw, Invalid
from shared.hits import BackendChoice, GroupBy
from shared.products import Backend
from shared.spaces import SpaceName

MAX_LIMIT = 100


class CropBody(Body):
    """A part of a picture, in fractions of its sides after orientation."""

    x: float = Field(ge=0, lt=1)
    y: float = Field(ge=0, lt=1)
    width: float = Field(gt=0, le=1)
    height: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _inside(self) -> "CropBody":
        if self.x + self.width > 1.0001 or self.y + self.height > 1.0001:
            raise ValueError("the crop reaches outside the picture")
        return self


class QueryPicture(Body):
    """A picture to look for, by exactly one of upload_id, base64, sha256."""

    upload_id: str | None = None
    base64: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    crop: CropBody | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "QueryPicture":
        if sum(v is not None for v in (self.upload_id, self.base64, self.sha256)) != 1:
            raise ValueError("name the picture by one of upload_id, base64, sha256")
        return self


class QueryProduct(Body):
    id: str = Field(min_length=1, max_length=200)
    weight: float = Field(default=1.0, ge=-10, le=10)


class QueryBody(Body):
    """What to look for; one part is enough, several are added up."""

    image: QueryPicture | None = None
    products: list[QueryProduct] = Field(default=[], max_length=32)
    vector: list[float] | None = Field(default=None, max_length=16_384)

    @model_validator(mode="after")
    def _something(self) -> "QueryBody":
        if self.image is None and self.vector is None and not self.products:
            raise ValueError("a query needs an image, products or a vector")
        if self.image is not None and self.vector is not None:
            raise ValueError("a query has an image or a vector, not both")
        return self


class FacetBody(Body):
    field: str
    limit: int = Field(default=10, ge=1, le=100)


class SearchOptions(Body):
    """Everything of a search but the query itself."""

    blend: dict[SpaceName, float] | None = None
    filter: dict[str, Any] | None = None
    facets: list[FacetBody] = Field(default=[], max_length=16)
    group_by: GroupBy = "product"
    sort: Literal["similarity"] = "similarity"
    min_similarity: float | None = Field(default=None, ge=-1, le=1)
    limit: int = Field(default=24, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(default=None, max_length=1_000)
    backend: BackendChoice = "auto"
    index: str = Field(default="live", min_length=1, max_length=100)
    deadline_ms: int = Field(default=2_000, ge=10, le=30_000)
    exact: bool = False


class SearchBody(SearchOptions):
    model_config = ConfigDict(
        json_schema_extra=example(
            query={"products": [{"id": "1000", "weight": 1.0}, {"id": "7", "weight": -0.4}]},
            blend={"content": 0.6, "style": 0.3, "colour": 0.1},
            filter={"and": [{"field": "price", "lte": 40}, {"field": "in_stock", "eq": True}]},
            facets=[{"field": "brand", "limit": 10}],
            limit=24,
        )
    )

    query: QueryBody


class SearchParameters(BaseModel):
    """A search's options in a URL: `category` is a path, `Home/Lighting`; `crop` is `x,y,w,h`."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    limit: int = Field(default=24, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(default=None, max_length=1_000)
    backend: BackendChoice = "auto"
    index: str = Field(default="live", min_length=1, max_length=100)
    category: str | None = Field(default=None, max_length=1_000)
    brand: str | None = Field(default=None, max_length=1_000)
    min_price: float | None = None
    max_price: float | None = None
    in_stock: bool | None = None
    content: float | None = Field(default=None, description="Weight of this space in the blend")
    style: float | None = None
    colour: float | None = None
    min_similarity: float | None = Field(default=None, ge=-1, le=1)
    deadline_ms: int = Field(default=2_000, ge=10, le=30_000)
    exact: bool = False
    crop: str | None = Field(default=None, max_length=100, examples=["0.1,0.2,0.5,0.6"])

    def options(self) -> SearchOptions:
        """The same as a body would say it."""
        named: dict[SpaceName, float | None] = {
            "content": self.content,
            "style": self.style,
            "colour": self.colour,
        }
        weights = {name: weight for name, weight in named.items() if weight is not None}
        alike = {"limit", "cursor", "backend", "index", "min_similarity", "deadline_ms", "exact"}
        return SearchOptions(
            **self.model_dump(include=alike),
            blend=weights or None,
            filter={"and": parts} if (parts := self._conditions()) else None,
        )

    def crop_body(self) -> CropBody | None:
        return None if self.crop is None else _crop(self.crop)

    def _conditions(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        if self.category is not None:
            parts.append({"field": "category", "under": self.category.split("/")})
        if self.brand is not None:
            parts.append({"field": "brand", "eq": self.brand})
        if self.in_stock is not None:
            parts.append({"field": "in_stock", "eq": self.in_stock})
        bounds = {"gte": self.min_price, "lte": self.max_price}
        if given := {name: bound for name, bound in bounds.items() if bound is not None}:
            parts.append({"field": "price", **given})
        return parts


def _crop(text: str) -> CropBody:
    try:
        x, y, width, height = (float(part) for part in text.split(","))
        return CropBody(x=x, y=y, width=width, height=height)
    except ValueError as error:
        detail = "`crop` is x,y,width,height in fractions of the picture's sides."
        flaw = Flaw("/query/crop", "bad_crop", detail)
        raise Invalid(detail, code="bad_crop", flaws=(flaw,)) from error


class HitView(View):
    product_id: str
    image: str
    rank: int
    similarity: float
    spaces: Mapping[SpaceName, float]
    thumbnail_url: str
    title: str
    brand: str | None
    category: tuple[str, ...]
    price: float | None
    currency: str | None
    in_stock: bool | None
    url: str | None
    version: int


class FacetValue(View):
    value: str
    count: int


class FacetView(View):
    field: str
    values: list[FacetValue]


class FailedShard(View):
    shard: int
    reason: str


class Shards(View):
    ok: int
    failed: list[FailedShard]


class Timings(View):
    """Milliseconds by phase."""

    decode: float
    embed: float
    search: float
    hydrate: float
    total: float


class Meta(View):
    """How the answer was found: `plan` says which way each part of the index was searched."""

    backend: Backend
    plan: str
    rows_seen: int
    index: str
    generation: int
    as_of: datetime
    partial: bool
    shards: Shards
    timings_ms: Timings


class SearchView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            search_id="sea_01jd",
            hits=[
                {
                    "product_id": "1001",
                    "image": "9f86d081…",
                    "rank": 1,
                    "similarity": 0.91,
                    "spaces": {"content": 0.93, "style": 0.88, "colour": 0.9},
                    "thumbnail_url": "/v1/images/9f86d081…?size=thumb&…",
                    "title": "Brass lamp",
                    "brand": "Lumen",
                    "category": ["Home", "Lighting"],
                    "price": 39.9,
                    "currency": "EUR",
                    "in_stock": True,
                    "url": "https://shop.example/lamp",
                    "version": 3,
                }
            ],
            facets=[],
            next_cursor=None,
            meta={
                "backend": "faiss",
                "plan": "graph",
                "rows_seen": 812,
                "index": "idx_1",
                "generation": 7,
                "as_of": "2026-03-01T12:00:00Z",
                "partial": False,
                "shards": {"ok": 1, "failed": []},
                "timings_ms": {"decode": 0, "embed": 4, "search": 1, "hydrate": 1, "total": 6},
            },
        )
    )

    search_id: str
    hits: list[HitView]
    facets: list[FacetView]
    next_cursor: str | None
    meta: Meta
