import base64
from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

from services.gateway.schemas.batch import BatchView
from shared.tasks import EmbedImages

Put = Callable[..., Any]
Draw = Callable[..., bytes]


def _picture(draw: Draw, seed: int) -> dict[str, str]:
    return {"base64": base64.b64encode(draw(seed)).decode()}


def test_one_bad_item_hurts_no_other(client: TestClient, put: Put, draw: Draw) -> None:
    put("old", title="Old")
    put("gone")
    items = [
        {"op": "upsert", "id": "1", "title": "A", "images": [_picture(draw, 1)]},
        {"op": "upsert", "id": "2", "images": [{"base64": "bm8gcGljdHVyZQ=="}]},
        {"op": "upsert", "id": "3", "images": [{"sha256": "0" * 64}]},
        {"op": "upsert", "id": "4", "images": [_picture(draw, 1)]},
        {"op": "patch", "id": "old", "title": "New"},
        {"op": "patch", "id": "nobody", "title": "New"},
        {"op": "delete", "id": "gone"},
        {"op": "delete", "id": "old", "title": "x"},
        {"op": "rename", "id": "old"},
        {"op": "upsert", "id": "a/b"},
    ]
    answer = client.post("/v1/products:batch", json={"items": items})
    view = BatchView.model_validate(answer.json())
    statuses = [item.status for item in view.items]
    assert answer.status_code == 202
    assert statuses == [202, 415, 422, 202, 202, 404, 204, 422, 422, 422]
    assert (view.accepted, view.refused) == (4, 6)
    problem = view.items[2].problem or {}
    assert problem["errors"][0]["pointer"] == "/items/2/images/0/sha256"
    assert client.get("/v1/products/old").json()["title"] == "New"
    assert client.get("/v1/products/gone").status_code == 404


def test_the_later_item_with_the_same_id_wins(client: TestClient, draw: Draw) -> None:
    items = [
        {"op": "upsert", "id": "1", "title": title, "images": [_picture(draw, 1)]}
        for title in ("A", "B", "C")
    ]
    client.post("/v1/products:batch", json={"items": items})
    assert client.get("/v1/products/1").json()["title"] == "C"


def test_a_batch_rings_once_for_all_its_pictures(
    client: TestClient, draw: Draw, queue: Any
) -> None:
    items = [{"op": "upsert", "id": str(n), "images": [_picture(draw, n)]} for n in range(20)]
    client.post("/v1/products:batch", json={"items": items})
    (embed,) = [task for task in queue.rung if isinstance(task, EmbedImages)]
    assert len(embed.images) == 20


def test_more_than_500_items_are_refused(client: TestClient) -> None:
    items = [{"op": "delete", "id": str(n)} for n in range(501)]
    answer = client.post("/v1/products:batch", json={"items": items})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/items"
