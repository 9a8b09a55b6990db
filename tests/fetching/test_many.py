"""Many pictures at once: each with its outcome, and no more of a host than it bears."""

import threading
import time
from collections.abc import Callable

from shared.errors import LookalikeError
from shared.fetching.fetcher import Fetcher
from tests.fetching.web import (
    PICTURE,
    Handler,
    Names,
    Page,
    Server,
    Web,
    picture,
    saying,
    trickle,
)


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
