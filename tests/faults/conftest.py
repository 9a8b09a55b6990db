"""A house over servers of its own, all of which may be hurt; every test leaves it whole."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.servers.elasticsearch import elasticsearch_node
from tests.servers.mongodb import mongodb_server
from tests.servers.process import Server
from tests.servers.redis import redis_server
from tests.system.house import House, house
from tests.system.servers import settings_over


@dataclass(frozen=True)
class Scene:
    """The house and what it stands on."""

    house: House
    redis: Server
    mongodb: Server
    elasticsearch: Server


@pytest.fixture(scope="session")
def scene(redis_url: str, s3_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with (
        redis_server(folder / "redis") as redis,
        mongodb_server(folder / "mongodb") as mongodb,
        elasticsearch_node(folder / "elasticsearch") as elasticsearch,
    ):
        settings = settings_over(
            mongodb=mongodb.url,
            redis=redis.url,
            cache=redis_url,
            elasticsearch=elasticsearch.url,
            s3=s3_url,
        )
        with house(folder / "house", settings) as shop:
            yield Scene(shop, redis, mongodb, elasticsearch)
