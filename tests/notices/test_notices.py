"""What telling and hearing keep, over a real Redis, in health and in trouble."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from shared.notices.redis import RedisNotices
from tests.servers.redis import redis_server

Told = tuple[str, int]


class Ears:
    """Notes what was heard."""

    def __init__(self) -> None:
        self.heard: list[Told] = []
        self._changed = threading.Condition()

    def __call__(self, index: str, shard: int) -> None:
        with self._changed:
            self.heard.append((index, shard))
            self._changed.notify_all()

    def after(self, tell: Callable[[], None], told: Told, timeout: float = 10) -> bool:
        """Whether it hears what is told again and again; once need not be enough at the start."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            tell()
            with self._changed:
                if self._changed.wait_for(lambda: told in self.heard, 0.1):
                    return True
        return False


@pytest.fixture
def notices(redis_url: str) -> Iterator[RedisNotices]:
    with closing(RedisNotices(redis_url, prefix=f"{secrets.token_hex(8)}:")) as one:
        yield one


def test_everybody_who_follows_hears_what_is_told(notices: RedisNotices) -> None:
    first, second = Ears(), Ears()
    with notices.follow(first), notices.follow(second):
        for ears in (first, second):
            assert ears.after(lambda: notices.tell("idx_1", 3), ("idx_1", 3))


def test_nobody_hears_after_he_stopped(notices: RedisNotices) -> None:
    ears, others = Ears(), Ears()
    with notices.follow(others):
        with notices.follow(ears):
            assert ears.after(lambda: notices.tell("idx_1", 0), ("idx_1", 0))
        assert others.after(lambda: notices.tell("idx_1", 1), ("idx_1", 1))
    assert ("idx_1", 1) not in ears.heard


def test_installations_that_share_a_redis_do_not_hear_each_other(
    notices: RedisNotices, redis_url: str
) -> None:
    ears, others = Ears(), Ears()
    with (
        closing(RedisNotices(redis_url, prefix=f"{secrets.token_hex(8)}:")) as elsewhere,
        notices.follow(ears),
        elsewhere.follow(others),
    ):
        assert others.after(lambda: elsewhere.tell("idx_2", 0), ("idx_2", 0))
        assert ears.after(lambda: notices.tell("idx_1", 0), ("idx_1", 0))
    assert {index for index, _ in ears.heard} == {"idx_1"}


def test_what_makes_no_sense_and_ears_that_hurt_stop_nobody(redis_url: str) -> None:
    prefix = f"{secrets.token_hex(8)}:"
    ears = Ears()

    def sore(index: str, shard: int) -> None:
        ears(index, shard)
        if shard == 0:
            raise ValueError("ouch")

    with closing(RedisNotices(redis_url, prefix=prefix)) as notices, notices.follow(sore):
        assert ears.after(lambda: notices.tell("idx_1", 0), ("idx_1", 0))
        with redis.Redis.from_url(redis_url) as stranger:
            for nonsense in (b"\xff", b"[]", b'{"a": 1}', b'["idx_1", "x"]', b"7"):
                assert stranger.publish(f"{prefix}lookalike.notices", nonsense) == 1
        assert ears.after(lambda: notices.tell("idx_1", 1), ("idx_1", 1))
    assert {shard for _, shard in ears.heard} == {0, 1}


def test_a_redis_that_is_gone_costs_nobody_time_and_is_heard_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    ears = Ears()
    with (
        redis_server(tmp_path) as server,
        closing(RedisNotices(server.url)) as notices,
        notices.follow(ears),
    ):
        assert ears.after(lambda: notices.tell("idx_1", 0), ("idx_1", 0))
        server.freeze()
        assert _seconds(lambda: notices.tell("idx_1", 1)) < 0.8
        assert _seconds(lambda: notices.tell("idx_1", 1)) < 0.05
        server.restart()
        assert ears.after(lambda: notices.tell("idx_1", 2), ("idx_1", 2), timeout=15)
        server.kill()
        assert _seconds(lambda: notices.tell("idx_1", 3)) < 0.8


def _seconds(act: Callable[[], None]) -> float:
    before = time.monotonic()
    act()
    return time.monotonic() - before
