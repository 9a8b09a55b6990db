"""Servers that are slow, busy or broken: how long they are waited for, how often asked."""

import socket
import time

import pytest

from shared.errors import Unavailable
from shared.fetching import fetcher as module
from tests.fetching.web import (
    HOST,
    PICTURE,
    PUBLIC,
    URL,
    Handler,
    Page,
    Server,
    Web,
    picture,
    saying,
    trickle,
)


@pytest.mark.parametrize("head", [True, False])
def test_a_trickle_ends_with_the_time(head: bool, web: Web, plain: Server) -> None:  # noqa: FBT001
    plain.pages["/x"] = trickle(head=head)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="too slow") as late:
        web.inside(plain).fetch(f"http://{plain.door}/x", 0.5)
    assert late.value.kind == "fetch_unavailable"
    assert 0.4 < time.monotonic() - begun < 5


def test_no_single_answer_takes_longer_than_its_share(
    web: Web, plain: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WHOLE_S", 0.2)
    plain.pages["/x"] = trickle(head=False)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="too slow"):
        web.inside(plain).fetch(f"http://{plain.door}/x", 60)
    assert time.monotonic() - begun < 10
    assert len(plain.asked) == 2, "asked once more"


def test_a_handshake_that_never_comes_ends_with_the_time(web: Web) -> None:
    silent = web.opened.enter_context(socket.create_server(("127.0.0.1", 0)))
    web.names.said[HOST] = [[PUBLIC]]
    web.wires.ends[PUBLIC] = silent.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        web.fetcher().fetch(URL, 0.5)
    assert time.monotonic() - begun < 2.5


def failing(times: int, page: Page) -> Page:
    """The page for so many requests, then the picture."""
    left = iter([page] * times)

    def page_(request: Handler) -> None:
        next(left, picture)(request)

    return page_


def hang_up(request: Handler) -> None:
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "page", [saying(503), saying(500), hang_up], ids=["503", "500", "hangs up"]
)
def test_a_server_that_fails_is_asked_once_more(page: Page, web: Web, plain: Server) -> None:
    plain.pages["/x"] = failing(1, page)
    assert web.inside(plain).fetch(f"http://{plain.door}/x") == PICTURE
    first, second = (at for at, _, _ in plain.asked)
    assert second - first >= 0.45, "after a pause"


def test_a_server_that_goes_on_failing_is_told(web: Web, plain: Server) -> None:
    plain.pages["/x"] = saying(502)
    with pytest.raises(Unavailable, match="answers 502") as told:
        web.inside(plain).fetch(f"http://{plain.door}/x")
    assert told.value.kind == "fetch_unavailable"
    assert len(plain.asked) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status: int, web: Web, plain: Server) -> None:
    plain.pages["/x"] = failing(1, saying(status, Retry_After="1"))
    assert web.inside(plain).fetch(f"http://{plain.door}/x") == PICTURE
    first, second = (at for at, _, _ in plain.asked)
    assert second - first >= 0.95


def test_a_host_that_wants_more_time_than_there_is_is_left_alone(web: Web, plain: Server) -> None:
    plain.pages["/x"] = saying(429, Retry_After="60")
    fetching = web.inside(plain)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="answers 429"):
        fetching.fetch(f"http://{plain.door}/x", 5)
    with pytest.raises(Unavailable, match="left alone for"):
        fetching.fetch(f"http://{plain.door}/a.png", 5)
    assert time.monotonic() - begun < 4
    assert plain.paths() == ["/x"]


@pytest.mark.parametrize("said", ["Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-1", "1e999"])
def test_a_retry_after_of_the_past_or_of_no_sense_does_no_harm(
    said: str, web: Web, plain: Server
) -> None:
    plain.pages["/x"] = failing(1, saying(503, Retry_After=said))
    assert web.inside(plain).fetch(f"http://{plain.door}/x") == PICTURE
