"""Pictures that a product names by URL, from a real server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway import pictures
from services.gateway.ports import Ports
from services.gateway.schemas.batch import BatchView
from shared.fetching.fetcher import Fetcher
from shared.images import sha256_of
from tests.fetching.web import PICTURE, Handler, Server, serving

Draw = Callable[..., bytes]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def ports(ports: Ports, server: Server) -> Iterator[Ports]:
    with Fetcher(["cdn.example.com"], [server.door], gap_s=0.0) as fetcher:
        yield replace(ports, fetcher=fetcher)


@pytest.fixture
def url(server: Server) -> Callable[[str], str]:
    return lambda path: f"http://{server.door}{path}"


def _named(*urls: str) -> dict[str, Any]:
    return {"images": [{"url": url} for url in urls]}


def test_a_picture_named_by_url_is_fetched_and_kept(
    client: TestClient, ports: Ports, url: Callable[[str], str]
) -> None:
    written = client.put("/v1/products/1", json=_named(url("/a.png")))
    assert written.status_code == 202
    assert written.json()["images"] == [sha256_of(PICTURE)]
    place = ports.catalogue.images.get("default", [sha256_of(PICTURE)])[sha256_of(PICTURE)].place
    assert ports.blobs.read(place.blob, place.offset, place.length) == PICTURE


def test_pictures_keep_their_order_wherever_they_come_from(
    client: TestClient, server: Server, url: Callable[[str], str], draw: Draw
) -> None:
    second = draw(2)
    server.pages["/b.jpg"] = lambda request: request.say(200, second)
    body = _named(url("/b.jpg"), url("/a.png"))
    body["images"].insert(1, {"sha256": sha256_of(draw(3))})
    client.put("/v1/products/0", files=[("images", ("a.jpg", draw(3), "image/jpeg"))])
    written = client.put("/v1/products/1", json=body)
    assert written.json()["images"] == [sha256_of(one) for one in (second, draw(3), PICTURE)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, (422, "fetch_failed")),
        (500, (503, "fetch_unavailable")),
        (200, (415, "unsupported_media_type")),
    ],
)
def test_a_picture_that_does_not_come_is_named_with_where_it_stands(
    status: int, expected: tuple[int, str], client: TestClient, server: Server, url: Any
) -> None:
    server.pages["/x"] = lambda request: request.say(status, b"I am no picture")
    refused = client.put("/v1/products/1", json=_named(url("/a.png"), url("/x")))
    assert (refused.status_code, refused.json()["code"]) == expected
    (flaw,) = refused.json()["errors"]
    assert (flaw["pointer"], flaw["code"]) == ("/images/1/url", expected[1])
    assert ("retry-after" in refused.headers) == (expected[0] == 503)
    assert client.get("/v1/products/1").status_code == 404


@pytest.mark.parametrize(
    "named",
    ["https://evil.example/a.png", "http://169.254.169.254/latest", "file:///etc/passwd", ""],
)
def test_what_may_not_be_asked_is_not(named: str, client: TestClient) -> None:
    refused = client.put("/v1/products/1", json=_named(named))
    assert (refused.status_code, refused.json()["code"]) == (422, "fetch_refused")
    assert refused.json()["errors"][0]["pointer"] == "/images/0/url"


def test_a_batch_fetches_all_its_pictures_together_and_each_once(
    client: TestClient, server: Server, url: Any
) -> None:
    items = [
        {"op": "upsert", "id": "1", **_named(url("/a.png"))},
        {"op": "upsert", "id": "2", **_named(url("/gone"))},
        {"op": "upsert", "id": "3", "colour": "blue", **_named(url("/never"))},
        {"op": "delete", "id": "nobody"},
        {"op": "upsert", "id": "4", **_named(url("/a.png"))},
    ]
    answer = client.post("/v1/products:batch", json={"items": items})
    view = BatchView.model_validate(answer.json())
    assert [item.status for item in view.items] == [202, 422, 422, 404, 202]
    problem = view.items[1].problem or {}
    assert problem["errors"][0]["pointer"] == "/items/1/images/0/url"
    assert sorted(server.paths()) == ["/a.png", "/gone"]


def test_a_request_does_not_wait_for_slow_pictures_for_ever(
    client: TestClient, server: Server, url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(request: Handler) -> None:
        request.connection.recv(1)  # until the other side hangs up

    monkeypatch.setattr(pictures, "FETCH_S", 0.3)
    server.pages["/x"] = slow
    named = [url(f"/x?{number}") for number in range(16)]
    refused = client.put("/v1/products/1", json=_named(*named))
    assert (refused.status_code, refused.json()["code"]) == (503, "fetch_unavailable")
