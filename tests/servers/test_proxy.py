"""That the network of the faults breaks as it is told to, and heals."""

import time
from collections.abc import Iterator

import pytest
import redis

from tests.servers.proxy import Proxy, proxy_to


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    with proxy_to(redis_url) as between:
        yield between


@pytest.fixture
def client(proxy: Proxy) -> Iterator["redis.Redis"]:
    """Fails at the first error, half a second at most after it asked."""
    timeouts = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    with redis.Redis.from_url(proxy.url, retry=None, **timeouts) as connected:
        connected.ping()
        yield connected


def test_a_whole_network_passes_everything_on(client: "redis.Redis") -> None:
    big = b"x" * 3_000_000
    assert client.echo(big) == big


def test_a_slow_network_takes_its_time_each_way(proxy: Proxy, client: "redis.Redis") -> None:
    proxy.delay(0.1)
    began = time.monotonic()
    client.ping()
    assert time.monotonic() - began >= 0.2
    proxy.heal()
    client.ping()


def test_a_cut_breaks_what_is_connected_and_what_connects(
    proxy: Proxy, client: "redis.Redis"
) -> None:
    proxy.cut()
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        assert time.monotonic() - began < 0.4, "told at once"
    proxy.heal()
    client.ping()


def test_a_black_hole_takes_everything_and_says_nothing(
    proxy: Proxy, client: "redis.Redis"
) -> None:
    proxy.black_hole()
    for _ in range(2):
        with pytest.raises(redis.TimeoutError):
            client.ping()
    proxy.heal()
    client.ping()


def test_a_server_that_is_not_there_is_not_there_by_way_of_the_proxy() -> None:
    with (
        proxy_to("redis://127.0.0.1:1") as between,
        redis.Redis.from_url(between.url, retry=None, socket_timeout=5) as client,
        pytest.raises(redis.ConnectionError),
    ):
        client.ping()
