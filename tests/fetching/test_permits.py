import pytest

from shared.errors import Invalid
from shared.fetching.permits import Permits

PERMITS = Permits(("cdn.example.com", "*.shop.example"), ("10.0.0.7:9000", "[::1]:8080"))


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.com/a.jpg",
        "https://CDN.Example.com:443/a.jpg?width=9#top",
        "https://cdn.example.com./a.jpg",
        "https://img.shop.example/a",
        "https://a.b.shop.example/a",
        "http://10.0.0.7:9000/bucket/a.jpg",
        "https://10.0.0.7:9000/bucket/a.jpg",
        "http://[::1]:8080/a",
    ],
)
def test_what_is_named_may_be_fetched(url: str) -> None:
    assert PERMITS.target(url).host


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.com/a.jpg", "not fetched from example.com"),
        ("https://evil-cdn.example.com/a", "not fetched from"),
        ("https://cdn.example.com.evil.example/a", "not fetched from"),
        ("https://shop.example/a", "not fetched from"),
        ("https://evilshop.example/a", "not fetched from"),
        ("http://cdn.example.com/a.jpg", "only https"),
        ("https://cdn.example.com:22/a.jpg", "only 443"),
        ("http://10.0.0.7/a", "only https"),
        ("https://10.0.0.7:9001/a", "not fetched from"),
        ("https://me@cdn.example.com/a", "user or a password"),
        ("https://cdn.example.com:p@evil.example/a", "user or a password"),
        ("https://cdn.example.com\\@evil.example/a", "is no URL|not fetched|password"),
        ("https:///a.jpg", "is no URL"),
        ("file:///etc/passwd", "is no URL"),
        ("gopher://cdn.example.com/a", "is no URL"),
        ("//cdn.example.com/a", "is no URL"),
        ("a.jpg", "is no URL"),
        ("", "is no URL"),
        ("https://cdn.example.com:99999/a", "is no URL|port"),
        ("https://[::1/a", "is no URL"),
        ("https://cdn.example.com/\r\nHost: evil", "is no URL"),
        ("https://cdn.example.com/" + "a" * 2048, "characters"),
    ],
)
def test_all_else_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        PERMITS.target(url)
    assert refused.value.kind == "fetch_refused"


def test_messages_keep_the_query_to_themselves() -> None:
    shown = PERMITS.target("https://cdn.example.com/a.jpg?signature=secret").shown
    assert shown == "https://cdn.example.com/a.jpg"


@pytest.mark.parametrize(
    "host", ["https://cdn.example.com", "*", "*.", "cdn.*.com", "a b", "a:443"]
)
def test_what_is_no_host_is_refused_at_the_start(host: str) -> None:
    with pytest.raises(Invalid, match="host"):
        Permits((host,))


@pytest.mark.parametrize("door", ["10.0.0.7", "http://10.0.0.7:80", "*:80", "a:b"])
def test_what_is_no_door_is_refused_at_the_start(door: str) -> None:
    with pytest.raises(Invalid, match="host:port"):
        Permits((), (door,))


def test_without_hosts_there_is_nothing_to_fetch() -> None:
    assert not Permits()
    assert Permits(("cdn.example.com",))
