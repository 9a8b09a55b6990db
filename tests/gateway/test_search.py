import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway.ports import Ports
from services.gateway.schemas.search import SearchView
from shared.images import sha256_of

Put = Callable[..., Any]
Draw = Callable[..., bytes]
JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def shelf(client: TestClient, draw: Draw, workshop: Any) -> None:
    """Thirty products, in two categories, at prices 0 to 29."""
    items = [
        {
            "op": "upsert",
            "id": f"p{number:02}",
            "title": f"No {number}",
            "price": float(number),
            "category": ["Home", "Lighting"] if number % 2 else ["Garden"],
            "images": [{"base64": base64.b64encode(draw(number)).decode()}],
        }
        for number in range(30)
    ]
    assert client.post("/v1/products:batch", json={"items": items}).json()["accepted"] == 30
    workshop.settle()


@pytest.fixture
def find(shopper: TestClient, shelf: None) -> Callable[..., SearchView]:
    def found(**body: Any) -> SearchView:
        answer = shopper.post("/v1/search", json=body)
        assert answer.status_code == 200, answer.text
        return SearchView.model_validate(answer.json())

    return found


def test_a_picture_finds_its_product_first(shopper: TestClient, shelf: None, draw: Draw) -> None:
    answer = shopper.post("/v1/search/image?limit=5", content=draw(7), headers=JPEG)
    view = SearchView.model_validate(answer.json())
    assert [hit.rank for hit in view.hits] == [1, 2, 3, 4, 5]
    assert (view.hits[0].product_id, view.hits[0].title) == ("p07", "No 7")
    assert view.hits[0].similarity == pytest.approx(1, abs=0.01)
    assert view.meta.backend == "exact"
    assert view.meta.timings_ms.embed > 0


def test_a_form_is_as_good_as_a_raw_body(shopper: TestClient, shelf: None, draw: Draw) -> None:
    files = {"image": ("q.jpg", draw(7), "image/jpeg")}
    answer = shopper.post("/v1/search/image", files=files)
    assert answer.json()["hits"][0]["product_id"] == "p07"


def test_products_are_sorted_and_never_find_themselves(find: Callable[..., SearchView]) -> None:
    view = find(query={"products": [{"id": "p03"}]})
    order = [(-hit.similarity, hit.product_id) for hit in view.hits]
    assert order == sorted(order)
    assert "p03" not in {hit.product_id for hit in view.hits}


def test_a_deleted_product_is_never_found_and_its_place_is_filled(
    find: Callable[..., SearchView], searcher: Any, client: TestClient, ports: Ports
) -> None:
    query = {"products": [{"id": "p03"}]}
    doomed = [hit.product_id for hit in find(query=query, limit=12).hits]
    searcher.stale = ports.catalogue.products.get("default", doomed)
    for product_id in doomed:
        client.delete(f"/v1/products/{product_id}")
    view = find(query=query, limit=10)
    assert len(view.hits) == 10
    assert not set(doomed) & {hit.product_id for hit in view.hits}


def test_what_passes_the_filter_no_longer_is_not_answered(
    find: Callable[..., SearchView], searcher: Any, client: TestClient, ports: Ports
) -> None:
    searcher.stale = ports.catalogue.products.get("default", ["p04"])
    client.patch("/v1/products/p04", json={"price": 99.0})
    view = find(query={"products": [{"id": "p03"}]}, filter={"field": "price", "lte": 10}, limit=50)
    assert "p04" not in {hit.product_id for hit in view.hits}
    assert all(hit.price is not None and hit.price <= 10 for hit in view.hits)


def test_a_product_is_not_answered_for_a_picture_that_it_gave_up(
    find: Callable[..., SearchView], searcher: Any, put: Put, ports: Ports
) -> None:
    searcher.stale = ports.catalogue.products.get("default", ["p04"])
    put("p04", seed=4_000)
    view = find(query={"products": [{"id": "p03"}]}, limit=50)
    assert "p04" not in {hit.product_id for hit in view.hits}


def test_pages_follow_each_other_without_gap_or_repetition(
    find: Callable[..., SearchView],
) -> None:
    query = {"products": [{"id": "p03"}]}
    whole = [hit.product_id for hit in find(query=query, limit=100).hits]
    seen: list[str] = []
    ranks: list[int] = []
    cursor: str | None = None
    for _ in range(20):
        view = find(query=query, limit=7, cursor=cursor)
        seen += [hit.product_id for hit in view.hits]
        ranks += [hit.rank for hit in view.hits]
        cursor = view.next_cursor
        if cursor is None:
            break
    assert seen == whole
    assert ranks == list(range(1, 30))


@pytest.mark.parametrize("cursor", ["", "!!", "bm9wZQ", "WzEsMl0", "WzFlOTk5LCJhIiwxXQ"])
def test_a_cursor_that_was_not_given_out_is_refused(
    cursor: str, shopper: TestClient, shelf: None
) -> None:
    body = {"query": {"products": [{"id": "p03"}]}, "cursor": cursor}
    answer = shopper.post("/v1/search", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


def test_a_filter_narrows_by_category(find: Callable[..., SearchView]) -> None:
    view = find(
        query={"products": [{"id": "p03"}]},
        filter={"field": "category", "under": ["Home"]},
        limit=50,
    )
    assert len(view.hits) == 14
    assert all(hit.category[0] == "Home" for hit in view.hits)


def test_options_in_a_url_mean_the_same_as_in_a_body(
    shopper: TestClient, find: Callable[..., SearchView]
) -> None:
    url = "/v1/products/p03/similar?category=Home/Lighting&max_price=15&limit=50&content=1"
    hits = shopper.get(url).json()["hits"]
    condition = {"and": [{"field": "category", "under": ["Home"]}, {"field": "price", "lte": 15}]}
    query = {"products": [{"id": "p03"}]}
    view = find(query=query, filter=condition, blend={"content": 1.0}, limit=50)
    assert [hit["product_id"] for hit in hits] == [hit.product_id for hit in view.hits]


def test_a_vector_is_as_good_as_its_picture(
    find: Callable[..., SearchView], ports: Ports, draw: Draw, floats: Any
) -> None:
    (embedding,) = ports.embedder.embed([draw(7)])
    view = find(query={"vector": floats(getattr(embedding, "vector", b""))})
    assert view.hits[0].product_id == "p07"


@pytest.mark.parametrize("vector", [[1.0], [0.0] * 15, [1e39] * 15])
def test_a_vector_that_does_not_fit_is_refused(
    vector: list[float], shopper: TestClient, shelf: None
) -> None:
    answer = shopper.post("/v1/search", json={"query": {"vector": vector}})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_vector")


def test_a_crop_looks_for_a_part(find: Callable[..., SearchView], draw: Draw) -> None:
    picture = base64.b64encode(draw(7)).decode()
    whole = find(query={"image": {"base64": picture}})
    crop = {"x": 0.0, "y": 0.0, "width": 1.0, "height": 0.4}
    part = find(query={"image": {"base64": picture, "crop": crop}})
    assert part.hits[0].similarity != pytest.approx(whole.hits[0].similarity, abs=1e-6)


def test_a_crop_outside_the_picture_is_refused(
    shopper: TestClient, shelf: None, draw: Draw
) -> None:
    url = "/v1/search/image?crop=0.5,0.5,0.7,0.7"
    answer = shopper.post(url, content=draw(7), headers=JPEG)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_crop")


def test_a_torn_picture_is_undecodable(shopper: TestClient, shelf: None, draw: Draw) -> None:
    torn = draw(7, side=256)[:-300]
    answer = shopper.post("/v1/search/image", content=torn, headers=JPEG)
    assert (answer.status_code, answer.json()["code"]) == (422, "undecodable_image")


def test_a_text_is_no_picture_to_look_for(shopper: TestClient, shelf: None) -> None:
    answer = shopper.post("/v1/search/image", content=b"lamp, brass", headers=JPEG)
    assert answer.status_code == 415


def test_25_megabytes_are_too_large_to_look_for(shopper: TestClient, shelf: None) -> None:
    answer = shopper.post("/v1/search/image", content=bytes(25 * 2**20), headers=JPEG)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_backend_that_is_not_there_is_a_conflict_that_says_how_to_get_it(
    shopper: TestClient, shelf: None
) -> None:
    body = {"query": {"products": [{"id": "p03"}]}, "backend": "elasticsearch"}
    answer = shopper.post("/v1/search", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "backend_not_configured")
    assert "LOOKALIKE_ELASTICSEARCH" in answer.json()["detail"]


def test_an_unknown_index_is_not_found(shopper: TestClient, shelf: None) -> None:
    body = {"query": {"products": [{"id": "p03"}]}, "index": "idx_other"}
    answer = shopper.post("/v1/search", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_index")


def test_a_product_that_is_not_searchable_yet_is_a_conflict(shopper: TestClient, put: Put) -> None:
    put("1")
    answer = shopper.get("/v1/products/1/similar")
    assert (answer.status_code, answer.json()["code"]) == (409, "product_not_searchable")
    assert shopper.get("/v1/products/2/similar").status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"query": {}}, "/query"),
        ({}, "/query"),
        ({"query": {"products": [{"id": "p03"}]}, "limit": 101}, "/limit"),
        ({"query": {"products": [{"id": "p03"}]}, "limit": "10"}, "/limit"),
        ({"query": {"products": [{"id": "p03"}]}, "top": 3}, "/top"),
        ({"query": {"products": [{"id": "p03"}]}, "backend": "lucene"}, "/backend"),
        (
            {"query": {"products": [{"id": "p03"}]}, "filter": {"field": "x", "eq": 1}},
            "/filter/field",
        ),
        ({"query": {"products": [{"id": "p03"}]}, "facets": [{"field": "x"}]}, "/facets/0/field"),
        ({"query": {"products": [{"id": "p03"}]}, "blend": {"content": 0.0}}, "/blend"),
    ],
)
def test_a_wrong_search_is_told_where_it_is_wrong(
    body: dict[str, Any], pointer: str, shopper: TestClient, shelf: None
) -> None:
    answer = shopper.post("/v1/search", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_an_unchanged_answer_is_not_sent_twice(
    shopper: TestClient, client: TestClient, shelf: None
) -> None:
    first = shopper.get("/v1/products/p03/similar")
    assert first.headers["cache-control"] == "no-cache"
    tag = {"If-None-Match": first.headers["etag"]}
    assert shopper.get("/v1/products/p03/similar", headers=tag).status_code == 304
    client.patch("/v1/products/p04", json={"price": 77.0})
    assert shopper.get("/v1/products/p03/similar?limit=50", headers=tag).status_code == 200


def test_a_thumbnail_of_an_answer_needs_no_key(
    find: Callable[..., SearchView], stranger: TestClient, draw: Draw
) -> None:
    hit = find(query={"products": [{"id": "p03"}]}).hits[0]
    picture = stranger.get(hit.thumbnail_url)
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/jpeg"
    assert sha256_of(picture.content) == hit.image
    assert "immutable" in picture.headers["cache-control"]
    again = stranger.get(hit.thumbnail_url, headers={"If-None-Match": picture.headers["etag"]})
    assert again.status_code == 304


def test_a_forged_or_widened_picture_url_is_refused(
    find: Callable[..., SearchView], stranger: TestClient
) -> None:
    url = find(query={"products": [{"id": "p03"}]}).hits[0].thumbnail_url
    for forged in (url[:-2], url.replace("thumb", "full"), url.replace("default", "other")):
        assert stranger.get(forged).status_code == 403
    assert stranger.get(url.partition("?")[0]).status_code == 401


def test_a_model_other_than_the_index_s_is_a_conflict(
    shopper: TestClient, shelf: None, ports: Ports, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(ports.embedder.spaces, fingerprint="fp-other")
    monkeypatch.setattr(type(ports.embedder), "spaces", other)
    answer = shopper.post("/v1/search/image", content=draw(7), headers=JPEG)
    assert (answer.status_code, answer.json()["code"]) == (409, "other_model")


def test_answers_are_plain_json(shopper: TestClient, shelf: None) -> None:
    answer = shopper.get("/v1/products/p03/similar?limit=1")
    hit = json.loads(answer.content)["hits"][0]
    assert set(hit) >= {"product_id", "similarity", "spaces", "thumbnail_url", "title", "in_stock"}
