"""What is taken as a picture, and how much of it is read."""

import gzip

import pytest

from shared.errors import Invalid, TooLarge
from shared.images import MAX_PICTURE_BYTES
from tests.fetching.web import (
    PICTURE,
    Handler,
    Page,
    Server,
    Web,
    saying,
)


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
