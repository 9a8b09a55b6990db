"""The catalogue's server may die, freeze, or not be there yet: nothing hangs and nothing is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.products import ProductWrite
from shared.errors import Unavailable
from tests.contracts.catalogue.conftest import fresh_database
from tests.contracts.catalogue.distant import answers, request, wait_for
from tests.servers.mongodb import mongodb_server
from tests.servers.process import Server
from tests.servers.proxy import proxy_to

BUDGET_S = 15.0
"""What an operation may take that gives up: three seconds to find a server, or ten to hear of it."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One of the test's own, to be hurt."""
    with mongodb_server(tmp_path / "server") as started:
        yield started


def test_a_catalogue_is_opened_before_its_server_is_there(tmp_path: Path) -> None:
    with mongodb_server(tmp_path) as server:
        server.kill()
        with MongoCatalogue(f"{server.url}/shop?serverSelectionTimeoutMS=300") as catalogue:
            with pytest.raises(Unavailable, match="does not answer"):
                catalogue.products.count("shop")
            server.restart()
            (outcome,) = catalogue.products.upsert([request("p", catalogue)])
            assert outcome.status == "created"


def test_no_acknowledged_write_is_lost_when_the_server_is_killed(server: Server) -> None:
    """F15: whoever writes meanwhile is told that the catalogue is away, and soon."""
    written: dict[str, int] = {}
    waits: list[float] = []
    done = threading.Event()
    with MongoCatalogue(f"{server.url}/shop") as catalogue:
        catalogue.products.count("shop")

        def work(writer: int) -> None:
            for turn in range(100_000):
                if done.is_set():
                    return
                name = f"{writer}.{turn % 20}"
                began = time.monotonic()
                with suppress(Unavailable):
                    write = request(name, catalogue, title=f"{turn}")
                    (outcome,) = catalogue.products.upsert([write])
                    if outcome.product:
                        written[name] = outcome.product.version
                waits.append(time.monotonic() - began)

        writers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for writer in writers:
            writer.start()
        for enough in (10, 40):
            wait_for(lambda enough=enough: len(waits) > enough)  # type: ignore[misc]
            server.kill()
            server.restart()
        wait_for(lambda: len(waits) > 120)
        done.set()
        for writer in writers:
            writer.join(BUDGET_S)
            assert not writer.is_alive()
        found = catalogue.products.get("shop", written)
    assert max(waits) < BUDGET_S
    lost = {name: version for name, version in written.items() if found[name].version < version}
    assert not lost


def test_a_server_that_is_away_or_frozen_is_unavailable_and_nothing_hangs(server: Server) -> None:
    short = "serverSelectionTimeoutMS=300&socketTimeoutMS=400"
    with MongoCatalogue(f"{server.url}/shop?{short}") as catalogue:
        catalogue.products.upsert([request("p", catalogue)])
        write = request("p", catalogue, title="Better")
        for hurt, heal in ((server.freeze, server.thaw), (server.kill, server.restart)):
            hurt()
            for operation in (
                lambda: catalogue.products.get("shop", ["p"]),
                lambda: catalogue.products.upsert([write]),
                lambda: catalogue.images.claimable("f1", 1),
            ):
                began = time.monotonic()
                with pytest.raises(Unavailable, match="does not answer"):
                    operation()
                assert time.monotonic() - began < 3
            heal()
            wait_for(lambda: answers(catalogue))
        (outcome,) = catalogue.products.upsert([request("p", catalogue, title="Later")])
        assert outcome.status == "changed"


def test_a_connection_that_breaks_is_unavailable_and_then_made_anew(mongodb_url: str) -> None:
    with fresh_database(mongodb_url) as url, proxy_to(mongodb_url) as proxy:
        by_way = url.replace(mongodb_url, proxy.url) + "?directConnection=true&socketTimeoutMS=1000"
        with MongoCatalogue(by_way) as catalogue:
            catalogue.products.upsert([request("p", catalogue)])
            proxy.cut()
            with pytest.raises(Unavailable, match="does not answer"):
                catalogue.products.upsert([request("p", catalogue, title="Better")])
            proxy.heal()
            wait_for(lambda: answers(catalogue))
            assert catalogue.products.get("shop", ["p"])["p"].version == 1


def test_nothing_is_done_with_a_catalogue_that_was_closed(
    url: str, write: Callable[..., ProductWrite]
) -> None:
    catalogue = MongoCatalogue(url)
    catalogue.products.count("shop")
    catalogue.close()
    catalogue.close()
    for operation in (
        lambda: catalogue.products.upsert([write()]),
        lambda: catalogue.products.count("shop"),
    ):
        with pytest.raises(Unavailable, match="was closed"):
            operation()
