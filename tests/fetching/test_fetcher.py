"""Pictures from real servers; what a name says and where a connection leads is the test's."""

import gzip
import socket
import threading
import time
from collections.abc import Callable

import pytest

from shared.errors import Invalid, LookalikeError, TooLarge, Unavailable
from shared.fetching import fetcher as module
from shared.fetching.fetcher import Fetcher
from shared.images import MAX_PICTURE_BYTES
from tests.fetching.web import (
    HOST,
    OTHER,
    PICTURE,
    PUBLIC,
    Handler,
    Names,
    Page,
    Server,
    Web,
    leads_to,
    picture,
)

URL = f"https://{HOST}/a.png"


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


def test_a_server_of_the_own_network_is_asked_when_its_door_is_named(
    web: Web, plain: Server
) -> None:
    assert web.inside(plain).fetch(f"http://{plain.door}/a.png") == PICTURE
    neighbour = web.server()
    with pytest.raises(Invalid):
        web.inside(plain).fetch(f"http://{neighbour.door}/a.png")
    assert neighbour.asked == []


def saying(status: int, body: bytes = b"", **headers: str) -> Page:
    """A page with these headers; underscores stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.say(status, body, named)


@pytest.mark.parametrize(
    ("page", "kind", "told"),
    [
        (saying(404), "fetch_failed", "answers 404"),
        (saying(403), "fetch_failed", "answers 403"),
        (saying(204), "fetch_failed", "answers 204"),
        (saying(304), "fetch_failed", "answers 304"),
        (saying(302), "fetch_failed", "answers 302"),
        (saying(200, b"<p>", Content_Type="text/html; charset=utf-8"), "fetch_failed", "text/html"),
        (saying(200, b"<p>", Content_Type="image/png"), "unsupported_media_type", "no JPEG"),
        (saying(200, b"", Content_Type="image/png"), "unsupported_media_type", "nothing"),
        (saying(200, PICTURE[:20]), "undecodable_image", "ends inside"),
    ],
)
def test_what_is_no_picture_is_told(
    page: Page, kind: str, told: str, web: Web, plain: Server
) -> None:
    plain.pages["/x"] = page
    with pytest.raises(Invalid, match=told) as refused:
        web.inside(plain).fetch(f"http://{plain.door}/x")
    assert refused.value.kind == kind
    assert len(plain.asked) == 1, "asking again would not help"


@pytest.mark.parametrize(
    "said", ["application/octet-stream", "binary/octet-stream", "image/jpeg", ""]
)
def test_the_bytes_say_what_a_picture_is_not_the_header(said: str, web: Web, plain: Server) -> None:
    plain.pages["/x"] = lambda r: r.say(200, PICTURE, {"Content-Type": said} if said else {})
    assert web.inside(plain).fetch(f"http://{plain.door}/x") == PICTURE


def test_what_is_compressed_is_not_unpacked(web: Web, plain: Server) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    headers = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    plain.pages["/x"] = lambda r: r.say(200, bomb, headers)
    with pytest.raises(Invalid, match="compressed"):
        web.inside(plain).fetch(f"http://{plain.door}/x")


def test_a_body_that_says_it_is_too_long_is_not_read(web: Web, plain: Server) -> None:
    plain.pages["/x"] = lambda r: r.say(200, b"", {"Content-Length": str(MAX_PICTURE_BYTES + 1)})
    with pytest.raises(TooLarge):
        web.inside(plain).fetch(f"http://{plain.door}/x")


def test_a_body_without_end_is_read_to_the_limit(web: Web, plain: Server) -> None:
    sent = 0

    def endless(request: Handler) -> None:
        nonlocal sent
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        piece = bytes(1 << 20)
        while True:  # until the other side hangs up
            request.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            sent += len(piece)

    plain.pages["/x"] = endless
    with pytest.raises(TooLarge):
        web.inside(plain).fetch(f"http://{plain.door}/x")
    assert sent < 2 * MAX_PICTURE_BYTES


def trickle(*, head: bool) -> Page:
    """A byte every 20 ms: never a silence long enough for a timeout on reading."""

    def dripping(request: Handler) -> None:
        if head:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        else:
            request.send_response(200)
            request.send_header("Content-Length", "100000")
            request.end_headers()
        over = threading.Event()
        while not over.wait(0.02):
            request.wfile.write(b"a")
            request.wfile.flush()

    return dripping


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


def test_a_name_that_nobody_has_is_told(web: Web) -> None:
    with pytest.raises(Invalid, match="no host") as refused:
        web.fetcher().fetch(URL)
    assert refused.value.kind == "fetch_failed"


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


def test_many_are_fetched_together_and_each_has_its_own_outcome(web: Web, plain: Server) -> None:
    plain.pages["/gone"] = saying(404)
    urls = [f"http://{plain.door}/{name}" for name in ("a.png", "gone", "a.png?2", "a.png")]
    found = web.inside(plain).fetch_many([*urls, "https://other.example/a"], 10)
    assert list(map(kind_of, (found[url] for url in urls))) == [
        *("picture", "fetch_failed", "picture", "picture")
    ]
    assert kind_of(found["https://other.example/a"]) == "fetch_refused"
    assert len(plain.asked) == 3, "the same URL once"


def kind_of(outcome: bytes | LookalikeError) -> str:
    return "picture" if isinstance(outcome, bytes) else outcome.kind


def test_a_slow_host_holds_up_no_other(web: Web) -> None:
    slow, quick = web.server(), web.server()
    slow.pages["/x"] = trickle(head=False)
    doors = (f"slow.example:{slow.port}", f"quick.example:{quick.port}")
    urls = [f"http://{doors[0]}/x?{n}" for n in range(20)]
    urls += [f"http://{doors[1]}/a.png?{n}" for n in range(20)]
    known = {"slow.example": [["127.0.0.1"]], "quick.example": [["127.0.0.1"]]}
    fetching = web.opened.enter_context(Fetcher((), doors, gap_s=0.0, resolve=Names(known)))
    begun = time.monotonic()
    found = fetching.fetch_many(urls, 1.0)
    assert time.monotonic() - begun < 5
    assert [kind_of(found[url]) for url in urls[:20]] == ["fetch_unavailable"] * 20
    assert [kind_of(found[url]) for url in urls[20:]] == ["picture"] * 20


def test_what_is_too_much_together_is_left_for_later(web: Web, plain: Server) -> None:
    urls = [f"http://{plain.door}/a.png?{n}" for n in range(6)]
    fetching = web.inside(plain, connections=1)
    found = fetching.fetch_many(urls, 10, max_bytes=2 * len(PICTURE))
    kinds = sorted(kind_of(outcome) for outcome in found.values())
    assert kinds == ["fetch_unavailable"] * 4 + ["picture"] * 2


def at_once(server: Server, seconds: float) -> tuple[Page, Callable[[], int]]:
    """A page that takes its time, and the most that were at it together."""
    lock, here, most = threading.Lock(), 0, 0

    def page(request: Handler) -> None:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        threading.Event().wait(seconds)
        with lock:
            here -= 1
        picture(request)

    return page, lambda: most


def test_no_more_than_so_many_requests_are_under_way_at_a_host(web: Web, plain: Server) -> None:
    plain.pages["/x"], most = at_once(plain, 0.05)
    fetching = web.inside(plain, connections=2)
    threads = [
        threading.Thread(
            target=fetching.fetch_many,
            args=([f"http://{plain.door}/x?{half}{n}" for n in range(6)], 20),
        )
        for half in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(plain.asked) == 12
    assert most() == 2


def test_between_two_requests_to_a_host_there_is_a_gap(web: Web, plain: Server) -> None:
    urls = [f"http://{plain.door}/a.png?{n}" for n in range(8)]
    found = web.inside(plain, gap_s=0.1).fetch_many(urls, 20)
    assert set(found.values()) == {PICTURE}
    times = sorted(at for at, _, _ in plain.asked)
    assert times[-1] - times[0] >= 0.65, "seven gaps, less the first connection's time"
