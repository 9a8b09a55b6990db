"""The vectors of queries in a Redis that all gateways share."""

import struct
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.runtime.breaker import Breaker
from shared.seams.embedder import Embedding

_DAY_S: Final = 24 * 3600
_PATIENCE_S: Final = 0.05
_REST_S: Final = 5.0
_HEAD: Final = struct.Struct("<II16s")
"""Width, height, perceptual hash; the vector follows as it is."""


class RedisVectors:
    """The `VectorCache` that keeps what it is given for so many `seconds`.

    Give it `maxmemory-policy allkeys-lru`; never the queue's, which must not forget. One that does
    not answer costs a twentieth of a second, then nothing for five seconds.
    """

    def __init__(self, url: str, seconds: int = _DAY_S, *, prefix: str = "") -> None:
        self._seconds, self._prefix = seconds, f"{prefix}vector:1:"  # the layout's version
        self._client = Redis.from_url(
            url,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._breaker = Breaker("the cache of vectors", patience_s=_PATIENCE_S, rest_s=_REST_S)

    def get(self, key: str) -> Embedding | None:
        found = self._breaker.ask(lambda: self._client.get(self._prefix + key), otherwise=None)
        return _unpacked(found) if isinstance(found, bytes) else None

    def put(self, key: str, embedding: Embedding) -> None:
        packed = _packed(embedding)
        self._breaker.ask(
            lambda: self._client.set(self._prefix + key, packed, ex=self._seconds), otherwise=None
        )

    def close(self) -> None:
        self._breaker.close()
        self._client.close()


def _packed(embedding: Embedding) -> bytes:
    head = _HEAD.pack(embedding.width, embedding.height, embedding.phash.encode("ascii"))
    return head + embedding.vector


def _unpacked(data: bytes) -> Embedding | None:
    """None for what is not of our making."""
    if len(data) <= _HEAD.size:
        return None
    width, height, phash = _HEAD.unpack_from(data)
    return Embedding(data[_HEAD.size :], width, height, phash.decode("ascii", "replace"))
