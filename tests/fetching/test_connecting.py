"""Whom a connection leads to: real servers, while what a name says is the test's."""

import pytest

from shared.errors import Invalid
from shared.fetching.fetcher import Fetcher
from tests.fetching.web import (
    HOST,
    OTHER,
    PICTURE,
    PUBLIC,
    URL,
    Server,
    Web,
)


def test_a_picture_is_fetched_and_the_certificate_is_that_of_the_name(web: Web) -> None:
    site = web.site()
    assert web.fetcher().fetch(URL) == PICTURE
    _, _, headers = site.asked[0]
    assert headers["Host"] == HOST
    assert headers["User-Agent"].startswith("Lookalike")
    assert "image/" in headers["Accept"]
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


def test_a_certificate_of_somebody_else_is_refused(web: Web) -> None:
    other = web.site("other.example")
    web.names.said[HOST] = [[OTHER]]
    web.wires.ends[OTHER] = other.port
    with pytest.raises(Invalid, match="certificate") as refused:
        web.fetcher().fetch(URL)
    assert refused.value.kind == "fetch_refused"
    assert other.asked == []


def test_a_certificate_of_an_unknown_authority_is_refused(web: Web) -> None:
    site = web.site()
    unknowing = web.opened.enter_context(Fetcher([HOST], resolve=web.names, below=web.wires))
    with pytest.raises(Invalid, match="certificate"):
        unknowing.fetch(URL)
    assert site.asked == []


def test_without_hosts_nothing_is_fetched(web: Web) -> None:
    web.site()
    with pytest.raises(Invalid, match="LOOKALIKE_FETCH_HOSTS"):
        web.fetcher(()).fetch(URL)
    assert web.names.asked == []


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::ffff:169.254.169.254"], ["64:ff9b::7f00:1"]]
)
def test_a_name_with_an_address_that_is_not_public_is_not_connected_to(
    found: list[str], web: Web
) -> None:
    web.site()
    web.names.said[HOST] = [found]
    with pytest.raises(Invalid, match="no public address") as refused:
        web.fetcher().fetch(URL)
    assert refused.value.kind == "fetch_refused"
    assert web.wires.made == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(web: Web) -> None:
    """A name that is public when it is checked and loopback a moment later gains nothing."""
    web.site()
    web.names.said[HOST] = [[PUBLIC], ["127.0.0.1"]]
    fetching = web.fetcher()
    assert fetching.fetch(URL) == PICTURE
    assert web.names.asked == [HOST], "looked up once"
    assert web.wires.made == [(PUBLIC, 443)]


def test_a_new_connection_is_checked_anew(web: Web) -> None:
    site = web.site()
    site.pages["/a.png"] = lambda request: request.say(200, PICTURE, {"Connection": "close"})
    web.names.said[HOST] = [[PUBLIC], ["127.0.0.1"]]
    fetching = web.fetcher()
    assert fetching.fetch(URL) == PICTURE
    with pytest.raises(Invalid, match="no public address"):
        fetching.fetch(URL)
    assert web.wires.made == [(PUBLIC, 443)]


def test_the_next_address_is_tried_when_nobody_is_at_the_first(web: Web) -> None:
    web.site()
    web.names.said[HOST] = [[OTHER, PUBLIC]]
    assert web.fetcher().fetch(URL) == PICTURE
    assert web.wires.made == [(OTHER, 443), (PUBLIC, 443)]


def test_a_connection_serves_several_pictures(web: Web) -> None:
    web.site()
    fetching = web.fetcher()
    assert {fetching.fetch(URL) for _ in range(3)} == {PICTURE}
    assert len(web.wires.made) == 1


def test_no_proxy_of_the_environment_is_asked(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = web.server()
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{proxy.door}")
    web.site()
    assert web.fetcher().fetch(URL) == PICTURE
    assert proxy.asked == []


def test_a_server_of_the_own_network_is_asked_when_its_door_is_named(
    web: Web, plain: Server
) -> None:
    assert web.inside(plain).fetch(f"http://{plain.door}/a.png") == PICTURE
    neighbour = web.server()
    with pytest.raises(Invalid):
        web.inside(plain).fetch(f"http://{neighbour.door}/a.png")
    assert neighbour.asked == []


def test_a_name_that_nobody_has_is_told(web: Web) -> None:
    with pytest.raises(Invalid, match="no host") as refused:
        web.fetcher().fetch(URL)
    assert refused.value.kind == "fetch_failed"
