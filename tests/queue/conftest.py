"""A worker's surroundings: a Redis, keys of its own in it, and somebody who answers."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
import redis

from shared.queue.celery.queue import CeleryQueue
from tests.queue.office import Office, office


@dataclass
class Broker:
    """The queue of one test: where its workers are to listen, and how it is rung."""

    url: str
    prefix: str
    queue: CeleryQueue
    redis: "redis.Redis"


@pytest.fixture
def here() -> Iterator[Office]:
    with office() as one:
        yield one


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    prefix = f"{secrets.token_hex(8)}:"
    with (
        closing(CeleryQueue(redis_url, prefix=prefix)) as queue,
        redis.Redis.from_url(redis_url) as client,
    ):
        yield Broker(redis_url, prefix, queue, client)
