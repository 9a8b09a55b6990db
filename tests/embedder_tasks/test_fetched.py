"""Pictures that records name by URL, from a real server."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.embedder.fetched import fetched, remember
from services.embedder.ports import Ports
from shared.fetching.fetcher import Fetcher
from shared.images import sha256_of
from shared.seams.embedder import Failure
from tests.fetching.web import PICTURE, Handler, Server, serving

TENANT = "shop"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def ports(house: Any, server: Server) -> Iterator[Ports]:
    with Fetcher((), [server.door], gap_s=0.0) as fetcher:
        yield house.with_ports(fetcher=fetcher).ports


@pytest.fixture
def url(server: Server) -> str:
    return f"http://{server.door}/a.png"


def test_each_url_has_its_picture_or_the_reason(ports: Ports, url: str) -> None:
    found = fetched(ports, TENANT, [url, f"{url}.gone", "https://evil.example/a"])
    assert found[url] == PICTURE
    gone, refused = found[f"{url}.gone"], found["https://evil.example/a"]
    assert isinstance(gone, Failure)
    assert isinstance(refused, Failure)
    assert (gone.code, refused.code) == ("fetch_failed", "fetch_refused")


def test_what_was_fetched_and_stored_is_not_fetched_again(
    house: Any, ports: Ports, server: Server, url: str
) -> None:
    sha256 = house.upload("lamp")
    remember(ports, TENANT, {url: sha256})
    assert fetched(ports, TENANT, [url, f"{url}?2"]) == {url: sha256, f"{url}?2": PICTURE}
    assert server.paths() == ["/a.png?2"]


def test_what_was_fetched_and_is_gone_since_is_fetched_again(ports: Ports, url: str) -> None:
    remember(ports, TENANT, {url: sha256_of(PICTURE)})
    assert fetched(ports, TENANT, [url]) == {url: PICTURE}


def test_a_picture_that_was_doomed_is_taken_up_again(house: Any, ports: Ports, url: str) -> None:
    sha256 = house.upload("lamp")
    remember(ports, TENANT, {url: sha256})
    images = ports.catalogue.images
    assert images.doom(TENANT, sha256, touched=house.image(sha256).touched)
    assert fetched(ports, TENANT, [url]) == {url: sha256}
    assert house.image(sha256).doomed is None


def test_what_another_tenant_fetched_is_fetched_again(house: Any, ports: Ports, url: str) -> None:
    remember(ports, "other", {url: house.upload("lamp")})
    assert fetched(ports, TENANT, [url]) == {url: PICTURE}


def test_a_chunk_does_not_wait_for_slow_pictures_for_ever(
    ports: Ports, server: Server, url: str
) -> None:
    def slow(request: Handler) -> None:
        request.connection.recv(1)  # until the other side hangs up

    server.pages["/slow"] = slow
    urls = [url, *(f"http://{server.door}/slow?{number}" for number in range(40))]
    begun = time.monotonic()
    found = fetched(ports, TENANT, urls, 0.5)
    assert time.monotonic() - begun < 5
    assert found.pop(url) == PICTURE
    assert {getattr(one, "code", None) for one in found.values()} == {"fetch_unavailable"}


def test_without_hosts_the_reason_is_told(house: Any, url: str) -> None:
    off = fetched(house.ports, TENANT, [url])[url]
    assert isinstance(off, Failure)
    assert off.code == "url_fetching_off"
    assert fetched(house.ports, TENANT, []) == {}
