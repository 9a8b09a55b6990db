import io
import json
import logging
from collections.abc import Iterator

import pytest

from shared.runtime.logs import configure, context

log = logging.getLogger("lookalike.test")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def fail(reason: str) -> None:
    """Ends up in the log with its trace."""
    try:
        raise_(ConnectionError(reason))
    except ConnectionError:
        log.exception("failed")


def raise_(error: Exception) -> None:
    raise error


def test_without_a_terminal_every_line_is_json_with_its_context() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    with context(request_id="r1"), context(attempt=2):
        log.warning("the shard %s is slow", "idx_1")
    log.info("later")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["message"] == "the shard idx_1 is slow"
    assert (first["level"], first["request_id"], first["attempt"]) == ("WARNING", "r1", 2)
    assert "request_id" not in second


def test_on_a_terminal_a_line_is_for_reading() -> None:
    stream = Terminal()
    configure(stream=stream)
    with context(product_id="p1"):
        log.warning("the shard is slow")
    assert stream.getvalue().endswith("WARNING lookalike.test: the shard is slow  product_id=p1\n")


def test_a_failure_is_logged_in_one_line_with_its_trace() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    fail("no such shard")
    (line,) = stream.getvalue().splitlines()
    assert "ConnectionError: no such shard" in json.loads(line)["trace"]


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_no_line_holds_a_key_a_password_or_a_picture(kind: type[io.StringIO]) -> None:
    stream = kind()
    configure(stream=stream)
    with context(key="lk_admin_0123abc", body=b"\xff\xd8jfif.."):
        log.warning("refused %s, sent %s", "Bearer lk_search_abcdef", b"\xff\xd8jfif..")
        fail("mongodb://shop:hunter2@host/db does not answer")
    text = stream.getvalue()
    for secret in ("0123abc", "abcdef", "hunter2", "jfif"):
        assert secret not in text
    assert "<8 bytes>" in text
    assert "@host/db does not answer" in text


def test_a_line_below_the_level_is_left_out() -> None:
    stream = io.StringIO()
    configure("WARNING", stream)
    log.info("chatter")
    assert stream.getvalue() == ""
