import logging
import threading
import time
from collections.abc import Iterator

import pytest

from shared.runtime.breaker import Breaker
from tests.queue.office import eventually


@pytest.fixture
def breaker() -> Iterator[Breaker]:
    one = Breaker("the cache", patience_s=0.1, rest_s=0.3)
    yield one
    one.close()


def fail() -> int:
    raise OSError("no such host")


def test_an_answer_is_passed_on(breaker: Breaker) -> None:
    assert breaker.ask(lambda: 7, otherwise=0) == 7


def test_a_failure_is_not_the_callers_and_nothing_is_asked_for_a_while(breaker: Breaker) -> None:
    assert breaker.ask(fail, otherwise=0) == 0
    asked = threading.Event()
    assert breaker.ask(asked.set, otherwise=None) is None
    assert not asked.is_set()
    assert eventually(lambda: breaker.ask(lambda: 7, otherwise=0) == 7)


def test_nobody_waits_longer_than_the_patience(breaker: Breaker) -> None:
    go = threading.Event()
    before = time.monotonic()
    assert not breaker.ask(lambda: go.wait(10), otherwise=False)
    assert time.monotonic() - before < 1
    go.set()


def test_questions_that_hang_leave_room_for_others(breaker: Breaker) -> None:
    go = threading.Event()
    breaker.ask(lambda: go.wait(10), otherwise=False)
    assert eventually(lambda: breaker.ask(lambda: 7, otherwise=0) == 7)
    go.set()


def test_the_log_says_when_it_begins_and_when_it_ends(
    breaker: Breaker, caplog: pytest.LogCaptureFixture
) -> None:
    def failed_again() -> bool:
        asked = threading.Event()

        def ask() -> None:
            asked.set()
            fail()

        breaker.ask(ask, otherwise=None)
        return asked.is_set()

    with caplog.at_level(logging.INFO):
        assert failed_again()
        assert eventually(failed_again)
        assert eventually(lambda: breaker.ask(lambda: True, otherwise=False))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "no such host" in caplog.text


def test_a_closed_one_has_no_answers(breaker: Breaker) -> None:
    breaker.close()
    assert breaker.ask(lambda: 7, otherwise=0) == 0
