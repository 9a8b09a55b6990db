from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from services.gateway.keys import admitted, ensure_key, make_key, spelled
from services.gateway.ports import Ports
from services.gateway.settings import GatewaySettings
from shared.errors import Unauthorised

Draw = Callable[..., bytes]


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic bGs6bGs="},
        _bearer("lk_admin_" + "A" * 43 + "00000000"),
    ],
)
def test_without_a_valid_key_nothing_is_told(headers: dict[str, str], stranger: TestClient) -> None:
    answer = stranger.get("/v1/products/1", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/products/1"),
        ("PUT", "/v1/products/1"),
        ("PATCH", "/v1/products/1"),
        ("DELETE", "/v1/products/1"),
        ("GET", "/v1/products/1/presence"),
        ("POST", "/v1/products:batch"),
        ("POST", "/v1/uploads"),
        ("POST", "/v1/imports"),
        ("GET", "/v1/jobs"),
        ("GET", "/v1/dead_letters"),
        ("GET", "/v1/stats"),
        ("POST", "/v1/keys"),
        ("GET", "/v1/keys"),
    ],
)
def test_a_search_key_only_searches(method: str, path: str, shopper: TestClient) -> None:
    answer = shopper.request(method, path, json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["/v1/categories", "/v1/backends"])
def test_a_search_key_sees_what_a_shop_window_needs(path: str, shopper: TestClient) -> None:
    assert shopper.get(path).status_code == 200


def test_a_key_is_made_listed_and_revoked(client: TestClient, stranger: TestClient) -> None:
    made = client.post("/v1/keys", json={"kind": "search", "label": "window"})
    assert made.status_code == 201
    key = made.json()["key"]
    assert stranger.get("/v1/categories", headers=_bearer(key)).status_code == 200
    listed = client.get("/v1/keys").json()["keys"]
    assert {"window"} <= {k["label"] for k in listed}
    assert all(k["key"] is None for k in listed)
    assert client.delete(f"/v1/keys/{made.json()['key_id']}").status_code == 204
    assert stranger.get("/v1/categories", headers=_bearer(key)).status_code == 401


def test_a_repeated_request_for_a_key_does_not_tell_it_again(client: TestClient) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.post("/v1/keys", json={"kind": "admin"}, headers=headers).json()
    again = client.post("/v1/keys", json={"kind": "admin"}, headers=headers).json()
    assert again == {**first, "key": None}


def test_a_key_may_be_bound_to_origins(ports: Ports, stranger: TestClient) -> None:
    origins = ("https://shop.example",)
    key, _ = make_key(ports.catalogue, "default", "search", "w", origins=origins)
    there = {**_bearer(key), "Origin": "https://shop.example"}
    assert stranger.get("/v1/categories", headers=there).status_code == 200
    elsewhere = {**_bearer(key), "Origin": "https://evil.example"}
    assert stranger.get("/v1/categories", headers=elsewhere).status_code == 403


def test_a_key_that_has_expired_is_no_key(ports: Ports, stranger: TestClient) -> None:
    key, _ = make_key(ports.catalogue, "default", "search", "w", expires=1)
    assert stranger.get("/v1/categories", headers=_bearer(key)).status_code == 401


def test_the_launcher_gets_the_same_key_at_every_start(ports: Ports) -> None:
    first = ensure_key(ports.catalogue, "default", "admin", "demo")
    assert ensure_key(ports.catalogue, "default", "admin", "demo") == first
    assert ensure_key(ports.catalogue, "default", "search", "demo") != first
    assert ensure_key(ports.catalogue, "other", "admin", "demo") != first
    assert first not in repr(ports.catalogue.office.keys("default"))


def test_tenants_do_not_see_each_other(
    ports: Ports, client: TestClient, stranger: TestClient, put: Any, draw: Draw
) -> None:
    put("1", seed=3)
    upload = client.post("/v1/uploads", content=draw(3)).json()
    sha256 = upload["sha256"]
    other = _bearer(ensure_key(ports.catalogue, "other", "admin", "t"))
    for path in (
        "/v1/products/1",
        "/v1/products/1/presence",
        "/v1/products/1/similar",
        f"/v1/uploads/{upload['upload_id']}",
        f"/v1/images/{sha256}",
        "/v1/backends?index=idx_test",
    ):
        assert stranger.get(path, headers=other).status_code == 404, path
    for source in ({"upload_id": upload["upload_id"]}, {"sha256": sha256}):
        body = {"images": [source]}
        assert stranger.put("/v1/products/2", json=body, headers=other).status_code == 422


def test_the_operators_key_is_known_without_being_kept(ports: Ports) -> None:
    chosen = spelled("admin", b"x" * 32)
    with pytest.raises(Unauthorised):
        admitted(ports, chosen, None)
    told = replace(ports, settings=GatewaySettings(admin_key=SecretStr(chosen)))
    caller = admitted(told, chosen, None)
    assert (caller.kind, caller.tenant) == ("admin", ports.tenant)
    with pytest.raises(Unauthorised):
        admitted(told, spelled("admin", b"y" * 32), None)
    assert not ports.catalogue.office.keys(ports.tenant)
