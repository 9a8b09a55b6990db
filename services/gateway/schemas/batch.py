"""Many writes in one request."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from services.gateway.schemas.products import WrittenView
from services.gateway.schemas.shapes import Body, View, example

MAX_ITEMS = 500


class BatchBody(Body):
    """`items` are `{op, id, …}`: upsert with a product's fields, patch with some, delete."""

    model_config = ConfigDict(
        json_schema_extra=example(
            items=[
                {"op": "upsert", "id": "1", "title": "Lamp", "images": [{"upload_id": "upl_1"}]},
                {"op": "patch", "id": "2", "price": 9.5},
                {"op": "delete", "id": "3"},
            ]
        )
    )

    items: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_ITEMS)


class BatchItem(Body):
    """What every item has beside its product's fields."""

    op: Literal["upsert", "patch", "delete"]
    id: str


class ItemView(View):
    """One item's own answer: `status` is what it would have got alone."""

    id: str | None
    status: int
    product: WrittenView | None = None
    problem: dict[str, Any] | None = None


class BatchView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            accepted=1,
            refused=1,
            items=[
                {"id": "3", "status": 204},
                {"id": "4", "status": 404, "problem": {"code": "not_found", "status": 404}},
            ],
        )
    )

    accepted: int
    refused: int
    items: list[ItemView]
