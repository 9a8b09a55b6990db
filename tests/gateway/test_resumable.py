"""Uploads by tus 1.0.0: created empty, appended to at an offset, resumed after whatever broke."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from services.gateway import bodies, resumable
from services.gateway.app import create_app
from services.gateway.ports import Ports
from shared.images import sha256_of
from shared.jobs import Import

Draw = Callable[..., bytes]
TUS = {"Tus-Resumable": "1.0.0"}
DEADLINE_S = 10


def begun(client: TestClient, size: int | None = None, **headers: str) -> str:
    """The path of a new upload."""
    length = {"Upload-Defer-Length": "1"} if size is None else {"Upload-Length": str(size)}
    answer = client.post("/v1/uploads", headers={**TUS, **length, **headers})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def patch(client: Any, path: str, offset: int, data: bytes, **headers: str) -> httpx.Response:
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    answer: httpx.Response = client.patch(path, content=data, headers={**TUS, **kind, **headers})
    return answer


def offset_of(client: Any, path: str) -> int:
    answer = client.head(path, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def stored(ports: Ports, path: str) -> bytes:
    upload = ports.catalogue.office.upload("default", path.rpartition("/")[2])
    assert upload is not None
    return b"".join(ports.blobs.read(part.blob) for part in upload.parts)


def blobs(ports: Ports) -> list[str]:
    return [blob.key for blob in ports.blobs.list("tenants/default/uploads/")]


def test_the_server_says_what_of_the_protocol_it_speaks(stranger: TestClient) -> None:
    answer = stranger.options("/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,creation-defer-length,termination"
    assert int(answer.headers["tus-max-size"]) > 58_200_000_000, "the largest feed there is"


def test_an_upload_is_made_empty_and_grows_by_what_is_sent(
    client: TestClient, ports: Ports
) -> None:
    path = begun(client, 8)
    assert offset_of(client, path) == 0
    first = patch(client, path, 0, b"look")
    assert (first.status_code, first.headers["upload-offset"]) == (204, "4")
    assert first.headers["tus-resumable"] == "1.0.0"
    assert patch(client, path, 4, b"like").headers["upload-offset"] == "8"
    head = client.head(path, headers=TUS).headers
    assert (head["upload-offset"], head["upload-length"]) == ("8", "8")
    assert "no-store" in head["cache-control"]
    assert stored(ports, path) == b"looklike"
    stated = client.get(path).json()
    assert (stated["size"], stated["received"], stated["sha256"]) == (8, 8, None)


@pytest.mark.parametrize("offset", [0, 3, 5])
def test_bytes_that_begin_elsewhere_are_refused(
    offset: int, client: TestClient, ports: Ports
) -> None:
    path = begun(client, 8)
    patch(client, path, 0, b"look")
    answer = patch(client, path, offset, b"like")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_offset")
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert stored(ports, path) == b"look"
    assert len(blobs(ports)) == 1


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
def test_another_version_of_the_protocol_is_not_listened_to(
    method: str, client: TestClient
) -> None:
    path = begun(client, 8)
    target = "/v1/uploads" if method == "POST" else path
    headers = {"Tus-Resumable": "0.2.2", "Upload-Offset": "0", "Upload-Length": "8"}
    answer = client.request(method, target, headers=headers)
    assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")
    assert offset_of(client, path) == 0


def test_more_than_was_declared_is_refused(client: TestClient, ports: Ports) -> None:
    path = begun(client, 8)
    answer = patch(client, path, 0, b"lookalike")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (offset_of(client, path), blobs(ports)) == (0, [])


def test_more_than_the_server_takes_is_refused_at_once(client: TestClient, ports: Ports) -> None:
    headers = {**TUS, "Upload-Length": str(ports.settings.max_upload_bytes + 1)}
    assert client.post("/v1/uploads", headers=headers).status_code == 413
    path = begun(client)
    assert patch(client, path, 0, b"", **headers).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "8", "Upload-Defer-Length": "1"},
        {"Upload-Defer-Length": "yes"},
        {"Upload-Length": "-1"},
        {"Upload-Length": "٣"},
        {"Upload-Length": "8", "Upload-Metadata": "x" * 4_001},
    ],
)
def test_headers_that_say_nothing_sensible_are_refused(
    headers: dict[str, str], client: TestClient
) -> None:
    raw = [(name, value.encode()) for name, value in {**TUS, **headers}.items()]
    answer = client.post("/v1/uploads", headers=raw)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_header")


def test_bytes_come_as_what_they_are(client: TestClient) -> None:
    path = begun(client, 8)
    answer = client.patch(path, content=b"look", headers={**TUS, "Upload-Offset": "0"})
    assert answer.status_code == 415
    assert client.post("/v1/uploads", content=b"x", headers={**TUS, "Upload-Length": "1"}).json()[
        "code"
    ] == ("body_too_early")
    kind = {"Content-Type": "application/offset+octet-stream"}
    assert client.patch(path, content=b"look", headers={**TUS, **kind}).status_code == 422


def test_a_length_that_was_deferred_is_declared_with_the_last_bytes(
    client: TestClient, ports: Ports
) -> None:
    path = begun(client)
    patch(client, path, 0, b"look")
    head = client.head(path, headers=TUS).headers
    assert (head["upload-defer-length"], "upload-length" in head) == ("1", False)
    early = patch(client, path, 4, b"", **{"Upload-Length": "3"})
    assert (early.status_code, early.json()["code"]) == (409, "length_declared")
    assert patch(client, path, 4, b"like", **{"Upload-Length": "8"}).status_code == 204
    other = patch(client, path, 8, b"", **{"Upload-Length": "9"})
    assert (other.status_code, other.json()["code"]) == (409, "length_declared")
    assert stored(ports, path) == b"looklike"
    assert client.get(path).json()["size"] == 8


def test_what_a_client_says_of_its_file_it_is_told_again(client: TestClient) -> None:
    path = begun(client, 8, **{"Upload-Metadata": "filename ZmVlZC5jc3Y="})
    assert client.head(path, headers=TUS).headers["upload-metadata"] == "filename ZmVlZC5jc3Y="


def test_an_upload_that_is_given_up_is_gone_with_its_bytes(
    client: TestClient, ports: Ports
) -> None:
    path = begun(client, 8)
    patch(client, path, 0, b"look")
    assert client.delete(path, headers=TUS).status_code == 204
    assert client.head(path, headers=TUS).status_code == 404
    assert patch(client, path, 4, b"like").status_code == 404
    assert blobs(ports) == []


def test_where_a_proxy_forbids_a_method_post_stands_for_it(
    client: TestClient, shopper: TestClient, ports: Ports
) -> None:
    path = begun(client, 8)
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    appending = {**TUS, **kind, "X-HTTP-Method-Override": "PATCH"}
    answer = client.post(path, content=b"look", headers=appending)
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "4")
    assert (stored(ports, path), answer.headers["tus-resumable"]) == (b"look", "1.0.0")
    again = client.post(path, content=b"like", headers=appending)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_offset")
    removing = {**TUS, "X-HTTP-Method-Override": "DELETE"}
    assert shopper.post(path, headers=removing).status_code == 403
    assert client.post(path, headers=removing).status_code == 204
    assert client.head(path, headers=TUS).status_code == 404


@pytest.mark.parametrize("override", [{}, {"X-HTTP-Method-Override": "PUT"}])
def test_post_stands_for_no_other_method(override: dict[str, str], client: TestClient) -> None:
    path = begun(client, 8)
    answer = client.post(path, content=b"look", headers={**TUS, "Upload-Offset": "0", **override})
    assert answer.status_code == 422
    assert "x-http-method-override" in answer.json()["detail"]
    assert offset_of(client, path) == 0


def test_an_upload_that_an_import_reads_is_not_given_up(client: TestClient, ports: Ports) -> None:
    path = begun(client, 4)
    patch(client, path, 0, b"look")
    source = f"upload:{path.rpartition('/')[2]}"
    ports.catalogue.imports.create(Import("imp", "default", "csv", source, 4, 0, "running"))
    answer = client.delete(path, headers=TUS)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_in_use")
    ports.catalogue.imports.set_state("imp", "cancelled")
    assert client.delete(path, headers=TUS).status_code == 204


def test_an_upload_is_for_admin_keys_alone(client: TestClient, shopper: TestClient) -> None:
    path = begun(client, 8)
    assert shopper.head(path, headers=TUS).status_code == 403
    assert patch(shopper, path, 0, b"look").status_code == 403


def test_an_upload_that_is_not_complete_is_no_picture(client: TestClient, draw: Draw) -> None:
    picture = draw(1)
    path = begun(client, len(picture))
    patch(client, path, 0, picture[:100])
    body = {"title": "Lamp", "images": [{"upload_id": path.rpartition("/")[2]}]}
    refused = client.put("/v1/products/p", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "incomplete_upload")
    assert "Upload-Offset: 100" in refused.json()["detail"]
    patch(client, path, 100, picture[100:])
    taken = client.put("/v1/products/p", json=body)
    assert taken.json()["images"] == [sha256_of(picture)]


def test_an_upload_in_crumbs_is_refused_before_it_is_endless(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "MAX_PARTS", 2)
    path = begun(client, 8)
    for offset in (0, 1):
        assert patch(client, path, offset, b"x").status_code == 204
    answer = patch(client, path, 2, b"x")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_parts")


@dataclass(frozen=True, slots=True)
class Served:
    """The gateway on a real port, for connections that break."""

    url: str
    headers: Mapping[str, str]

    def connection(self) -> socket.socket:
        place = urlsplit(self.url)
        return socket.create_connection((place.hostname, place.port or 80), timeout=DEADLINE_S)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=dict(self.headers), timeout=DEADLINE_S)

    def half_a_patch(self, path: str, offset: int, promised: int, data: bytes) -> socket.socket:
        """A request that promises more than it has sent so far."""
        lines = [
            f"PATCH {path} HTTP/1.1",
            "Host: shop.test",
            f"Authorization: {self.headers['Authorization']}",
            "Tus-Resumable: 1.0.0",
            "Content-Type: application/offset+octet-stream",
            f"Upload-Offset: {offset}",
            f"Content-Length: {promised}",
        ]
        sending = self.connection()
        sending.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        return sending


@pytest.fixture
def served(ports: Ports, client: TestClient) -> Iterator[Served]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(ports), log_level="warning", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    with listening:
        thread.start()
        eventually(lambda: server.started)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        yield Served(url, {"Authorization": client.headers["authorization"]})
        server.should_exit = True
        thread.join()


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        threading.Event().wait(0.005)


def test_what_arrived_before_the_connection_broke_is_kept(
    served: Served, client: TestClient, ports: Ports
) -> None:
    data = bytes(range(256)) * 4_096
    path = begun(client, len(data))
    served.half_a_patch(path, 0, len(data), data[:300_000]).close()
    eventually(lambda: offset_of(client, path) > 0)
    offset = offset_of(client, path)
    assert offset <= 300_000
    with served.client() as resuming:
        assert patch(resuming, path, offset, data[offset:]).status_code == 204
    assert stored(ports, path) == data


def test_a_long_body_is_kept_in_several_parts(
    served: Served, client: TestClient, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "PART_BYTES", 100_000)
    data = bytes(range(256)) * 4_096
    path = begun(client, len(data))
    with served.client() as sending:
        assert patch(sending, path, 0, data).headers["upload-offset"] == str(len(data))
    assert 2 <= len(blobs(ports)) <= len(data) // 100_000
    assert stored(ports, path) == data


def test_of_two_that_send_at_once_each_byte_is_one_senders(
    served: Served, client: TestClient, ports: Ports
) -> None:
    path = begun(client, 12)
    with closing(served.half_a_patch(path, 0, 8, b"slow")) as slow, served.client() as fast:
        assert patch(fast, path, 0, b"fast").headers["upload-offset"] == "4"
        slow.sendall(b"slow")
        assert slow.recv(1_000).startswith(b"HTTP/1.1 409")
        assert patch(fast, path, 4, b"and good").status_code == 204
    assert stored(ports, path) == b"fastand good"
    assert len(blobs(ports)) == 2


def test_a_sender_that_falls_silent_holds_nothing_up(
    served: Served, client: TestClient, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SILENCE_S", 0.2)
    path = begun(client, 8)
    with closing(served.half_a_patch(path, 0, 8, b"look")) as silent:
        eventually(lambda: offset_of(client, path) == 4)
        assert patch(client, path, 4, b"like").status_code == 204
        assert silent.recv(1_000).startswith(b"HTTP/1.1 204")
    assert stored(ports, path) == b"looklike"
