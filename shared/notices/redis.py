"""Notices as messages of a Redis channel: nothing is kept, nobody is waited for."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from shared.runtime.breaker import Breaker

_PATIENCE_S: Final = 0.1
_REST_S: Final = 5.0
_POLL_S: Final = 0.5
_SILENCE_S: Final = 5.0
"""A connection that said nothing for so long is asked whether it is there."""
_RECONNECT_S: Final = 1.0
_log: Final = logging.getLogger(__name__)


class RedisNotices:
    """The `Notices` over Redis; `prefix` keeps installations apart that share one."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self._url = url
        self._channel = f"{prefix}lookalike.notices"
        self._client = _client(url, _PATIENCE_S)
        self._breaker = Breaker("the notices' Redis", patience_s=_PATIENCE_S, rest_s=_REST_S)

    def tell(self, index: str, shard: int) -> None:
        notice = json.dumps([index, shard])
        self._breaker.ask(lambda: self._client.publish(self._channel, notice), otherwise=None)

    @contextmanager
    def follow(self, heard: Callable[[str, int], None]) -> Iterator[None]:
        over = threading.Event()
        arguments = (heard, over)
        thread = threading.Thread(target=self._listen, args=arguments, name="notices", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def close(self) -> None:
        self._breaker.close()
        self._client.close()

    def _listen(self, heard: Callable[[str, int], None], over: threading.Event) -> None:
        """Over one connection after the other, until it is over."""
        while not over.is_set():
            try:
                self._hear(heard, over)
            except (RedisError, OSError) as error:
                _log.info("notices are not heard at the moment: %s", error)
                over.wait(_RECONNECT_S)

    def _hear(self, heard: Callable[[str, int], None], over: threading.Event) -> None:
        with _client(self._url, _SILENCE_S) as client, closing(client.pubsub()) as listening:
            listening.subscribe(self._channel)
            while not over.is_set():
                message = listening.get_message(ignore_subscribe_messages=True, timeout=_POLL_S)
                if message is not None:
                    _pass_on(message["data"], heard)


def _client(url: str, timeout_s: float) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=_SILENCE_S,
        retry=Retry(NoBackoff(), 0),
    )


def _pass_on(data: Any, heard: Callable[[str, int], None]) -> None:
    try:
        index, shard = json.loads(data)
        heard(str(index), int(shard))
    except Exception:  # noqa: BLE001 - the next one may be better
        _log.exception("a notice could not be passed on: %.100r", data)
