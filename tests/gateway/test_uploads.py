from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from services.gateway.ports import Ports
from shared.images import sha256_of

Draw = Callable[..., bytes]
JPEG = {"Content-Type": "image/jpeg"}


def test_an_upload_is_stored_and_described(client: TestClient, draw: Draw) -> None:
    answer = client.post("/v1/uploads", content=draw(1), headers=JPEG)
    assert answer.status_code == 201
    body = answer.json()
    assert body["sha256"] == sha256_of(draw(1))
    assert (body["size"], body["media_type"]) == (len(draw(1)), "image/jpeg")
    assert client.get(answer.headers["location"]).json() == body


def test_the_bytes_decide_what_an_upload_is(client: TestClient, draw: Draw) -> None:
    answer = client.post("/v1/uploads", content=draw(1, kind="png"), headers=JPEG)
    assert answer.json()["media_type"] == "image/png"


def test_a_picture_that_is_none_is_refused_and_leaves_nothing(
    client: TestClient, ports: Ports
) -> None:
    assert client.post("/v1/uploads", content=b"text", headers=JPEG).status_code == 415
    assert client.post("/v1/uploads", content=b"").status_code == 422
    assert list(ports.blobs.list("tenants/default/uploads/")) == []


def test_a_picture_of_more_than_20_megabytes_is_refused(
    client: TestClient, draw: Draw, ports: Ports
) -> None:
    content = draw(1) + bytes(25 * 2**20)
    assert client.post("/v1/uploads", content=content).status_code == 413
    assert list(ports.blobs.list("tenants/default/uploads/")) == []


def test_an_import_file_is_not_bound_to_the_size_of_pictures(client: TestClient) -> None:
    answer = client.post("/v1/uploads", content=bytes(48 * 2**20))
    assert (answer.status_code, answer.json()["size"]) == (201, 48 * 2**20)


def test_the_same_idempotency_key_gives_the_same_upload(
    client: TestClient, draw: Draw, ports: Ports
) -> None:
    headers = {**JPEG, "Idempotency-Key": "one"}
    first = client.post("/v1/uploads", content=draw(1), headers=headers)
    again = client.post("/v1/uploads", content=draw(1), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert len(list(ports.blobs.list("tenants/default/uploads/"))) == 1


def test_an_idempotency_key_with_another_body_is_refused(client: TestClient, draw: Draw) -> None:
    headers = {**JPEG, "Idempotency-Key": "one"}
    client.post("/v1/uploads", content=draw(1), headers=headers)
    other = client.post("/v1/uploads", content=draw(2), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


def test_an_idempotency_key_at_work_is_a_conflict(
    client: TestClient, draw: Draw, ports: Ports
) -> None:
    ports.catalogue.office.remember("default", "POST /v1/uploads one", sha256_of(draw(1)))
    headers = {**JPEG, "Idempotency-Key": "one"}
    answer = client.post("/v1/uploads", content=draw(1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "still_running")


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_an_idempotency_key_has_a_length(key: str, client: TestClient, draw: Draw) -> None:
    headers = {**JPEG, "Idempotency-Key": key}
    assert client.post("/v1/uploads", content=draw(1), headers=headers).status_code == 422
