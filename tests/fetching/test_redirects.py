"""How far, and where, an answer that leads on is followed."""

import pytest

from shared.errors import Invalid
from tests.fetching.web import (
    HOST,
    OTHER,
    PICTURE,
    Web,
    leads_to,
    picture,
)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(status: int, web: Web) -> None:
    site = web.site()
    site.pages["/old"] = leads_to("/a.png?size=large", status)
    assert web.fetcher().fetch(f"https://{HOST}/old") == PICTURE
    assert site.paths() == ["/old", "/a.png?size=large"]


def test_three_redirects_are_followed_and_no_fourth(web: Web) -> None:
    site = web.site()
    site.pages |= {f"/{n}": leads_to(f"/{n - 1}") for n in range(1, 5)} | {"/0": picture}
    assert web.fetcher().fetch(f"https://{HOST}/3") == PICTURE
    with pytest.raises(Invalid, match="more than 3 times"):
        web.fetcher().fetch(f"https://{HOST}/4")


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1/a.png",
        "https://127.0.0.1/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://other.example/a.png",
        "http://pictures.example.com/a.png",
        "https://pictures.example.com:8443/a.png",
        "https://me:secret@pictures.example.com/a.png",
        "file:///etc/passwd",
        "//other.example/a.png",
        "https://[::1",
    ],
)
def test_a_redirect_to_what_may_not_be_asked_is_refused(to: str, web: Web) -> None:
    site = web.site()
    site.pages["/old"] = leads_to(to)
    with pytest.raises(Invalid) as refused:
        web.fetcher().fetch(f"https://{HOST}/old")
    assert refused.value.kind == "fetch_refused"
    assert site.paths() == ["/old"]
    assert web.names.asked == [HOST]


def test_a_redirect_to_a_named_host_at_a_private_address_is_refused(web: Web) -> None:
    site, inside = web.site(), web.site("inside.example.com", OTHER)
    web.names.said["inside.example.com"] = [["192.168.0.9"]]
    site.pages["/old"] = leads_to("https://inside.example.com/a.png")
    with pytest.raises(Invalid, match="no public address"):
        web.fetcher(["*.example.com"]).fetch(f"https://{HOST}/old")
    assert inside.asked == []
