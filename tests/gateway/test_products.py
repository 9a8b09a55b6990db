import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway.ports import Ports
from services.gateway.schemas.products import PresenceView, ProductView, WrittenView
from shared.images import sha256_of
from shared.tasks import EmbedImages, SyncShard

Put = Callable[..., Any]
Draw = Callable[..., bytes]


def _pictured(draw: Draw, seed: int = 1, **attributes: Any) -> dict[str, Any]:
    return {**attributes, "images": [{"base64": base64.b64encode(draw(seed)).decode()}]}


def test_a_product_is_accepted_and_can_be_read(put: Put, client: TestClient) -> None:
    written = put("1000", title="Lamp", price=39.9, category=["Home", "Lighting"])
    assert written.status_code == 202
    assert WrittenView.model_validate(written.json()).status == "created"
    read = client.get("/v1/products/1000")
    product = ProductView.model_validate(read.json())
    assert (product.title, product.price, product.version) == ("Lamp", 39.9, 1)
    assert product.category == ("Home", "Lighting")
    assert len(product.images) == 1
    assert read.headers["etag"] == '"1"'


def test_the_same_product_again_changes_nothing(put: Put) -> None:
    put("1", title="Lamp")
    again = put("1", title="Lamp")
    assert again.status_code == 200
    assert (again.json()["status"], again.json()["version"]) == ("unchanged", 1)


def test_the_same_picture_is_stored_once(put: Put, ports: Ports) -> None:
    put("1", seed=5)
    put("2", seed=5)
    assert len(list(ports.blobs.list("tenants/default/pictures/"))) == 1
    assert ports.catalogue.images.count("default") == 1


def test_a_write_rings_for_its_pictures_and_its_shard(put: Put, queue: Any, draw: Draw) -> None:
    put("1", seed=5)
    embed, sync = queue.rung
    assert embed == EmbedImages("fp-test", "default", (sha256_of(draw(5)),))
    assert sync == SyncShard("idx_test", 0)


def test_a_queue_that_is_down_stops_no_write(put: Put, queue: Any) -> None:
    queue.deaf = True
    assert put("1").status_code == 202


def test_pictures_come_as_base64_as_upload_and_by_what_is_stored(
    client: TestClient, draw: Draw
) -> None:
    upload = client.post("/v1/uploads", content=draw(2), headers={"Content-Type": "image/jpeg"})
    client.put("/v1/products/0", json=_pictured(draw, 3))
    body = _pictured(draw, 1)
    body["images"] += [{"upload_id": upload.json()["upload_id"]}, {"sha256": sha256_of(draw(3))}]
    written = client.put("/v1/products/1", json=body)
    assert written.status_code == 202
    assert written.json()["images"] == [sha256_of(draw(seed)) for seed in (1, 2, 3)]


def test_a_picture_that_is_not_stored_is_named_with_where_it_stands(client: TestClient) -> None:
    refused = client.put("/v1/products/1", json={"images": [{"sha256": "0" * 64}]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/images/0/sha256"


def test_urls_are_not_fetched(client: TestClient) -> None:
    body = {"images": [{"url": "http://169.254.169.254/latest"}]}
    refused = client.put("/v1/products/1", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "url_fetching_off")


@pytest.mark.parametrize("count", [0, 17])
def test_a_product_has_one_to_sixteen_pictures(count: int, client: TestClient, draw: Draw) -> None:
    images = [_pictured(draw, seed)["images"][0] for seed in range(count)]
    assert client.put("/v1/products/1", json={"images": images}).status_code == 422


def test_a_text_named_jpg_is_refused(client: TestClient) -> None:
    files = [("images", ("a.jpg", b"I am no picture at all", "image/jpeg"))]
    refused = client.put("/v1/products/1", files=files)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")


def test_a_picture_of_25_megabytes_is_refused(client: TestClient, draw: Draw) -> None:
    files = [("images", ("a.jpg", draw(1) + bytes(25 * 1024 * 1024), "image/jpeg"))]
    refused = client.put("/v1/products/1", files=files)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert client.get("/v1/products/1").status_code == 404


@pytest.mark.parametrize("product_id", ["x" * 201, "%0A", "a%00b"])
def test_ids_are_printable_and_short(product_id: str, client: TestClient, draw: Draw) -> None:
    refused = client.put(f"/v1/products/{product_id}", json=_pictured(draw))
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_product_id")


def test_ids_may_be_of_any_script(client: TestClient, draw: Draw) -> None:
    written = client.put("/v1/products/Lämpchen 💡", json=_pictured(draw))
    assert written.status_code == 202
    assert client.get(written.headers["location"]).status_code == 200


def test_unknown_fields_and_wrong_types_are_all_named(client: TestClient, draw: Draw) -> None:
    body = _pictured(draw, colour="red", price="cheap")
    refused = client.put("/v1/products/1", json=body)
    assert refused.status_code == 422
    assert {e["pointer"] for e in refused.json()["errors"]} == {"/colour", "/price"}


def test_if_match_guards_against_overwriting_somebody_else(client: TestClient, draw: Draw) -> None:
    body = _pictured(draw, title="Lamp")
    client.put("/v1/products/1", json=body)
    changed = client.put("/v1/products/1", json={**body, "title": "B"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (202, '"2"')
    late = client.put("/v1/products/1", json={**body, "title": "C"}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "stale_version")
    assert client.get("/v1/products/1").json()["title"] == "B"


def test_if_none_match_star_only_creates(client: TestClient, draw: Draw) -> None:
    only_new = {"If-None-Match": "*"}
    body = _pictured(draw)
    assert client.put("/v1/products/1", json=body, headers=only_new).status_code == 202
    assert client.put("/v1/products/1", json=body, headers=only_new).status_code == 412


def test_if_match_star_only_overwrites(client: TestClient, draw: Draw) -> None:
    anything = {"If-Match": "*"}
    assert client.put("/v1/products/1", json=_pictured(draw), headers=anything).status_code == 412
    client.put("/v1/products/1", json=_pictured(draw))
    changed = client.put("/v1/products/1", json=_pictured(draw, title="B"), headers=anything)
    assert changed.status_code == 202


def test_an_unreadable_if_match_is_malformed(client: TestClient, draw: Draw) -> None:
    refused = client.put("/v1/products/1", json=_pictured(draw), headers={"If-Match": "three"})
    assert refused.status_code == 400


def test_who_has_the_product_already_is_told_so(put: Put, client: TestClient) -> None:
    tag = put("1").headers["etag"]
    assert client.get("/v1/products/1", headers={"If-None-Match": tag}).status_code == 304


def test_a_patch_changes_what_it_names_and_embeds_nothing(
    put: Put, client: TestClient, queue: Any
) -> None:
    put("1", title="Lamp", price=10.0, custom={"size": 1, "shade": "round"})
    queue.rung.clear()
    patched = client.patch("/v1/products/1", json={"price": 9.0, "custom": {"size": None}})
    assert patched.status_code == 202
    product = client.get("/v1/products/1").json()
    assert (product["title"], product["price"]) == ("Lamp", 9.0)
    assert product["custom"] == {"shade": "round"}
    assert queue.rung == [SyncShard("idx_test", 0)]


def test_a_patch_leaves_pictures_alone(put: Put, client: TestClient) -> None:
    put("1")
    refused = client.patch("/v1/products/1", json={"images": []})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_patchable")


def test_a_patch_that_was_overtaken_is_tried_again(
    put: Put, client: TestClient, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("1", title="Lamp", price=1.0)
    patch = ports.catalogue.products.patch
    moved: list[Any] = []

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        if not moved:
            moved.append(put("1", title="Other", price=1.0))
        return patch(*args, **kwargs)

    monkeypatch.setattr(ports.catalogue.products, "patch", overtaken)
    assert client.patch("/v1/products/1", json={"price": 2.0}).status_code == 202
    product = client.get("/v1/products/1").json()
    assert (product["title"], product["price"]) == ("Other", 2.0)


def test_a_deleted_product_is_gone_at_once(put: Put, client: TestClient) -> None:
    put("1")
    assert client.delete("/v1/products/1").status_code == 204
    assert client.get("/v1/products/1").status_code == 404
    assert client.delete("/v1/products/1").status_code == 404
    assert client.get("/v1/products/1/presence").json()["state"] == "deleted"


def test_a_deleted_product_may_come_again(put: Put, client: TestClient) -> None:
    put("1", title="Lamp")
    client.delete("/v1/products/1")
    assert put("1", title="Lamp").json()["status"] in ("created", "changed")
    assert client.get("/v1/products/1").status_code == 200


def test_a_purge_gives_a_receipt(put: Put, client: TestClient) -> None:
    put("1")
    receipt = client.delete("/v1/products/1?purge=true")
    assert receipt.status_code == 200
    (kept,) = receipt.json()["later"]
    assert "ten minutes" in kept["reason"]


def test_a_deletion_may_be_guarded(put: Put, client: TestClient) -> None:
    put("1")
    assert client.delete("/v1/products/1", headers={"If-Match": '"7"'}).status_code == 412
    assert client.delete("/v1/products/1", headers={"If-Match": '"1"'}).status_code == 204


def test_presence_follows_a_product_to_the_shelf(
    put: Put, client: TestClient, workshop: Any
) -> None:
    put("1")

    def presence() -> PresenceView:
        return PresenceView.model_validate(client.get("/v1/products/1/presence").json())

    assert (presence().state, presence().indexes[0].images[0].state) == ("pending", "waiting")
    workshop.embed()
    assert presence().indexes[0].images[0].state == "embedded"
    assert presence().state == "pending"
    workshop.index(seen=False)
    assert "search-0" in str(presence().reason)
    workshop.index()
    assert (presence().state, presence().reason) == ("searchable", None)


def test_what_a_target_has_lost_is_not_called_searchable(
    put: Put, client: TestClient, workshop: Any
) -> None:
    """An audit makes it pending again at the revision that is marked as indexed."""
    put("1")
    workshop.settle()
    assert client.get("/v1/products/1/presence").json()["state"] == "searchable"
    lost = frozenset({"idx_test/segments"})
    workshop.ports.catalogue.products.add_pending("default", lost, ["1"])
    assert client.get("/v1/products/1/presence").json()["state"] == "pending"


def test_a_product_without_a_usable_picture_is_rejected_with_the_reason(
    client: TestClient, draw: Draw, workshop: Any
) -> None:
    torn = draw(1, side=256)[:-200]
    client.put("/v1/products/1", files=[("images", ("a.jpg", torn, "image/jpeg"))])
    workshop.settle()
    presence = client.get("/v1/products/1/presence").json()
    assert presence["state"] == "rejected"
    assert presence["indexes"][0]["images"][0]["code"] == "undecodable_image"
    assert presence["reason"]


def test_a_writer_may_wait_until_the_product_is_found(
    client: TestClient, draw: Draw, queue: Any, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(task: object) -> bool:
        workshop.settle()
        return True

    monkeypatch.setattr(queue, "ring", answered)
    url = "/v1/products/1?wait=searchable&within=5s"
    written = client.put(url, json=_pictured(draw))
    assert (written.status_code, written.json()["state"]) == (200, "searchable")


def test_a_wait_that_ends_in_vain_is_no_error(client: TestClient, draw: Draw) -> None:
    url = "/v1/products/1?wait=searchable&within=100ms"
    written = client.put(url, json=_pictured(draw))
    assert (written.status_code, written.json()["state"]) == (202, "pending")


@pytest.mark.parametrize("query", ["wait=found", "wait=searchable&within=soon"])
def test_a_wait_that_makes_no_sense_is_refused(query: str, client: TestClient, draw: Draw) -> None:
    assert client.put(f"/v1/products/1?{query}", json=_pictured(draw)).status_code == 422


def test_a_product_lists_its_pictures(put: Put, client: TestClient, draw: Draw) -> None:
    put("1", seed=4)
    (picture,) = client.get("/v1/products/1/images").json()["images"]
    assert (picture["sha256"], picture["width"]) == (sha256_of(draw(4)), 64)


def test_metadata_may_come_as_a_file_of_the_form(client: TestClient, draw: Draw) -> None:
    files = [
        ("product", ("p.json", json.dumps({"title": "Lamp"}).encode(), "application/json")),
        ("images", ("a.png", draw(1, kind="png"), "image/png")),
    ]
    assert client.put("/v1/products/1", files=files).status_code == 202
    assert client.get("/v1/products/1").json()["title"] == "Lamp"


def test_the_shelves_are_walked_without_gap_and_without_the_deleted(
    put: Put, client: TestClient, shopper: TestClient
) -> None:
    for number in range(9):
        put(f"p{number}")
    for number in (0, 4, 5, 8):
        client.delete(f"/v1/products/p{number}")
    seen: list[str] = []
    url = "/v1/products?limit=2"
    for _ in range(9):
        page = shopper.get(url).json()
        seen += [card["product_id"] for card in page["products"]]
        if page["next_cursor"] is None:
            break
        url = f"/v1/products?limit=2&cursor={page['next_cursor']}"
    assert seen == ["p1", "p2", "p3", "p6", "p7"]


def test_one_product_of_the_shelves_can_be_asked_for(put: Put, shopper: TestClient) -> None:
    put("1", title="Lamp")
    (card,) = shopper.get("/v1/products?id=1").json()["products"]
    assert (card["title"], card["image"] in card["thumbnail_url"]) == ("Lamp", True)
    assert shopper.get("/v1/products?id=2").json()["products"] == []
