"""Products as callers send and get them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from services.gateway.schemas.shapes import Body, View, example
from shared.products import MAX_IMAGES, Scalar

PictureSource = Literal["upload_id", "base64", "sha256", "url"]
State = Literal["searchable", "pending", "rejected", "deleted"]

_LAMP = {
    "title": "Brass lamp",
    "brand": "Lumen",
    "category": ["Home", "Lighting"],
    "price": 39.9,
    "currency": "EUR",
    "in_stock": True,
    "tags": ["brass"],
    "url": "https://shop.example/lamp",
    "custom": {"height_cm": 42},
}
_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class PictureBody(Body):
    """A picture, by exactly one of its fields; `url` works where its host may be fetched from."""

    model_config = ConfigDict(json_schema_extra=example(upload_id="upl_01jd"))

    upload_id: str | None = None
    base64: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    url: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "PictureBody":
        if len(self.model_fields_set) != 1 or self.value is None:
            raise ValueError("name the picture by one of upload_id, base64, sha256, url")
        return self

    @property
    def source(self) -> PictureSource:
        for name in ("upload_id", "base64", "sha256"):
            if getattr(self, name) is not None:
                return name
        return "url"

    @property
    def value(self) -> str | None:
        return self.upload_id or self.base64 or self.sha256 or self.url


class AttributesBody(Body):
    """What a shop says of a product, apart from its pictures."""

    title: str = ""
    brand: str | None = None
    category: list[str] = Field(default=[])
    price: float | None = None
    currency: str | None = None
    in_stock: bool | None = None
    tags: list[str] = Field(default=[])
    url: str | None = None
    custom: dict[str, Scalar] = Field(default={})

    def attributes(self) -> Mapping[str, object]:
        """What was sent of them, for `shared.attributes`."""
        return self.model_dump(include=set(AttributesBody.model_fields), exclude_unset=True)


class ProductBody(AttributesBody):
    """A whole product. In multipart bodies the pictures are files and `images` stays away."""

    model_config = ConfigDict(
        json_schema_extra=example(**_LAMP, images=[{"upload_id": "upl_01jd"}])
    )

    images: list[PictureBody] = Field(default=[], max_length=MAX_IMAGES)


class PatchBody(Body):
    """A JSON merge patch (RFC 7396): what is named is set, null clears, the rest stays."""

    model_config = ConfigDict(json_schema_extra=example(price=29.9, brand=None))

    title: str | None = None
    brand: str | None = None
    category: list[str] | None = None
    price: float | None = None
    currency: str | None = None
    in_stock: bool | None = None
    tags: list[str] | None = None
    url: str | None = None
    custom: dict[str, Scalar | None] | None = None


class PictureView(View):
    sha256: str
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    thumbnail_url: str
    url: str


class ProductView(View):
    """A product as it stands in the catalogue; `version` is its ETag."""

    model_config = ConfigDict(
        json_schema_extra=example(
            product_id="1000",
            **_LAMP,
            images=[{"sha256": _SHA, "thumbnail_url": "/v1/images/9f…", "url": "/v1/images/9f…"}],
            version=3,
            updated_at="2026-03-01T12:00:00Z",
        )
    )

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
    images: list[PictureView]
    version: int
    updated_at: datetime


class ImagesView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            images=[{"sha256": _SHA, "thumbnail_url": "/v1/images/9f…", "url": "/v1/images/9f…"}]
        )
    )

    images: list[PictureView]


class CardView(View):
    """A product as a list shows it, by its first picture."""

    product_id: str
    title: str
    brand: str | None
    category: tuple[str, ...]
    price: float | None
    currency: str | None
    in_stock: bool | None
    url: str | None
    image: str | None
    thumbnail_url: str | None
    version: int


class CardsView(View):
    model_config = ConfigDict(json_schema_extra=example(products=[], next_cursor=None))

    products: list[CardView]
    next_cursor: str | None


class WrittenView(View):
    """What became of a write; `state` is how far it is on its way to being found."""

    model_config = ConfigDict(
        json_schema_extra=example(
            product_id="1000",
            status="created",
            version=1,
            state="pending",
            images=[_SHA],
            presence="/v1/products/1000/presence",
        )
    )

    product_id: str
    status: Literal["created", "changed", "unchanged"]
    version: int
    state: State
    images: tuple[str, ...]
    presence: str
    reason: str | None = None


class ImagePresence(View):
    sha256: str
    state: Literal["embedded", "waiting", "failed"]
    code: str | None = None
    reason: str | None = None


class TargetPresence(View):
    """A backend of an index: it has `indexed` of `revision`, and every reader shows it or not."""

    target: str
    indexed: int | None
    revision: int
    searchable: bool
    waits_for: str | None = None


class IndexPresence(View):
    index: str
    state: str
    images: list[ImagePresence]
    targets: list[TargetPresence]


class PresenceView(View):
    """Where a product is: every stage, every backend, or the reason why it is not found."""

    model_config = ConfigDict(
        json_schema_extra=example(
            product_id="1000",
            state="searchable",
            reason=None,
            stored=True,
            version=1,
            revision=1764547200000,
            pending_since=None,
            indexes=[
                {
                    "index": "idx_1",
                    "state": "ready",
                    "images": [{"sha256": _SHA, "state": "embedded"}],
                    "targets": [
                        {
                            "target": "idx_1/segments",
                            "indexed": 1764547200000,
                            "revision": 1764547200000,
                            "searchable": True,
                        }
                    ],
                }
            ],
        )
    )

    product_id: str
    state: State
    reason: str | None
    stored: Literal[True] = True
    version: int
    revision: int
    pending_since: datetime | None
    indexes: list[IndexPresence]
