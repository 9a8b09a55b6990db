"""What a cache of vectors keeps, in this process and in Redis, and what an embedder makes of it."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import redis

from shared.errors import Unavailable
from shared.images import Crop
from shared.seams.embedder import Embedding, Failure
from shared.seams.redis_vectors import RedisVectors
from shared.seams.remembering import RememberingEmbedder
from shared.seams.vectors_cache import LruVectors, VectorCache
from shared.spaces import Space, Spaces
from tests.servers.redis import redis_server

ONE, OTHER = (Embedding(bytes(range(n, n + 64)), 640 + n, 480, "0123456789abcdef") for n in (0, 1))


@pytest.fixture(params=["lru", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[VectorCache]:
    if request.param == "lru":
        yield LruVectors()
        return
    url = request.getfixturevalue("redis_url")
    with closing(RedisVectors(url, prefix=f"{secrets.token_hex(8)}:")) as one:
        yield one


def test_what_was_put_is_found_as_it_was(cache: VectorCache) -> None:
    cache.put("a", ONE)
    cache.put("b", OTHER)
    assert (cache.get("a"), cache.get("b")) == (ONE, OTHER)


def test_what_was_never_put_is_not_found(cache: VectorCache) -> None:
    cache.put("a", ONE)
    assert cache.get("b") is None


def test_the_last_that_was_put_counts(cache: VectorCache) -> None:
    cache.put("a", ONE)
    cache.put("a", OTHER)
    assert cache.get("a") == OTHER


def test_a_full_one_forgets_what_was_not_used_for_longest() -> None:
    cache = LruVectors(2)
    cache.put("a", ONE)
    cache.put("b", ONE)
    assert cache.get("a")
    cache.put("c", ONE)
    assert [key for key in "abc" if cache.get(key)] == ["a", "c"]


def test_redis_forgets_in_time_and_what_is_not_ours_is_not_found(redis_url: str) -> None:
    prefix = f"{secrets.token_hex(8)}:"
    with (
        closing(RedisVectors(redis_url, 100, prefix=prefix)) as cache,
        redis.Redis.from_url(redis_url) as client,
    ):
        cache.put("a", ONE)
        (key,) = client.keys(f"{prefix}*")
        assert 90 < client.ttl(key) <= 100
        client.set(key, b"short")
        assert cache.get("a") is None


def test_a_redis_that_is_frozen_costs_little_time_and_then_none(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, closing(RedisVectors(server.url)) as cache:
        cache.put("a", ONE)
        server.freeze()
        before = time.monotonic()
        assert cache.get("a") is None
        assert time.monotonic() - before < 0.75
        for _ in range(100):
            cache.put("b", ONE)
            assert cache.get("a") is None
        assert time.monotonic() - before < 0.8
        server.thaw()


class Counting:
    """An embedder whose vectors are the first bytes of the pictures; notes what it was asked."""

    spaces = Spaces("f1", (Space("content", 2, "f1-content"),))

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.broken = False

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        if self.broken:
            raise Unavailable("The child died.")
        self.asked += pictures
        return [_embedded(picture, crop, thumbnails=thumbnails) for picture in pictures]


def _embedded(picture: bytes, crop: Crop | None, *, thumbnails: bool) -> Embedding | Failure:
    if picture.startswith(b"bad"):
        return Failure("undecodable_image", "It is cut off.")
    vector = picture.ljust(8)[:8] if crop is None else repr(crop).encode()
    return Embedding(vector, 4, 3, "0123456789abcdef", b"small" if thumbnails else None)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def remembering(counting: Counting, cache: VectorCache) -> RememberingEmbedder:
    return RememberingEmbedder(counting, cache)


def test_only_what_is_not_known_is_embedded(
    counting: Counting, remembering: RememberingEmbedder
) -> None:
    first = remembering.embed([b"a", b"b"])
    again = remembering.embed([b"b", b"c", b"a"])
    assert counting.asked == [b"a", b"b", b"c"]
    assert again == [first[1], *counting.embed([b"c"]), first[0]]


def test_a_picture_twice_in_one_question_is_embedded_once(
    counting: Counting, remembering: RememberingEmbedder
) -> None:
    first, second, third = remembering.embed([b"a", b"b", b"a"])
    assert counting.asked == [b"a", b"b"]
    assert first == third != second


def test_another_part_of_a_picture_is_another_question(
    counting: Counting, remembering: RememberingEmbedder
) -> None:
    crops = (None, Crop(0, 0, 0.5, 1), Crop(0.5, 0, 0.5, 1))
    found = [remembering.embed([b"a"], crop=crop) for crop in crops * 2]
    assert counting.asked == [b"a"] * 3
    assert found[:3] == found[3:]
    assert found[0] != found[1] != found[2]


def test_another_model_is_another_question(cache: VectorCache, counting: Counting) -> None:
    other = Counting()
    other.spaces = Spaces("f2", (Space("content", 2, "f2-content"),))
    RememberingEmbedder(counting, cache).embed([b"a"])
    RememberingEmbedder(other, cache).embed([b"a"])
    assert counting.asked == other.asked == [b"a"]


def test_failures_are_asked_about_again(
    counting: Counting, remembering: RememberingEmbedder
) -> None:
    good, bad = remembering.embed([b"good", b"bad"])
    assert isinstance(good, Embedding)
    assert isinstance(bad, Failure)
    assert remembering.embed([b"good", b"bad"]) == [good, bad]
    assert counting.asked == [b"good", b"bad", b"bad"]
    counting.broken = True
    with pytest.raises(Unavailable):
        remembering.embed([b"new"])
    assert remembering.embed([b"good"]) == [good]


def test_thumbnails_are_made_each_time(
    counting: Counting, remembering: RememberingEmbedder
) -> None:
    for _ in range(2):
        (made,) = remembering.embed([b"a"], thumbnails=True)
        assert isinstance(made, Embedding)
        assert made.thumbnail == b"small"
    assert counting.asked == [b"a", b"a"]
    assert remembering.embed([b"a"]) == counting.embed([b"a"])
