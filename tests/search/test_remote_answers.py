"""What comes over the wire when it is not what it should be, and what is made of several answers."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest

from services.search.app import create_app
from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared.errors import Conflict, Flaw, Invalid, Unavailable
from shared.hits import (
    FacetRequest,
    SearchAnswer,
    SearchRequest,
    ShardFailure,
    WeightedProduct,
)
from shared.products import bucket_of, shard_of
from shared.runtime import logs
from shared.seams.remote_searcher import RemoteSearcher
from shared.seams.searcher import BackendState
from shared.seams.wire import answer_to_json
from tests.servers.application import serving
from tests.servers.liar import saying
from tests.servers.process import free_port

REQUEST = SearchRequest(
    "shop", "idx", "model-1", np.ones(12, dtype="f4").tobytes(), limit=60, deadline_ms=600
)
EMPTY = SearchAnswer((), "faiss", "nothing", 0, 1, 1, 1)
Say = Callable[[socket.socket], object]


class Stub:
    """A `Searcher` that does what a test says."""

    def __init__(self, search: Callable[[SearchRequest], SearchAnswer]) -> None:
        self.search = search

    def backends(self, index: str) -> Sequence[BackendState]:
        assert index == "idx"
        return [BackendState("exact", configured=True, healthy=True)]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


@pytest.fixture
def stubbed(stack: ExitStack, shards: Shards) -> Callable[..., str]:
    """The address of a process that searches in a test's own way."""

    def made(search: Callable[[SearchRequest], SearchAnswer], **limits: int) -> str:
        return stack.enter_context(serving(create_app(Stub(search), shards, **limits)))

    return made


def remote(stack: ExitStack, *urls: str, groups: int = 1) -> RemoteSearcher:
    return stack.enter_context(closing(RemoteSearcher(urls, groups)))


def said(data: bytes) -> Say:
    return lambda connection: connection.sendall(data)


def half(connection: socket.socket) -> None:
    connection.sendall(ok(b"x" * 99)[:60])
    connection.shutdown(socket.SHUT_RDWR)


def drip(connection: socket.socket) -> None:
    """A reply that is announced, and comes a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    for _ in range(1_000):
        connection.sendall(b"x")
        time.sleep(0.02)


def hold(connection: socket.socket) -> None:
    """Says nothing until the other side is gone."""
    connection.recv(1)


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


LIES: dict[str, Say] = {
    "no http": said(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "no end of head": said(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000),
    "no length": said(b"HTTP/1.1 200 OK\r\n\r\n{}"),
    "a negative length": said(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"),
    "a length without measure": said(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
    "no json": said(ok(b"<html>")),
    "another json": said(ok(b'{"answer": {"hits": []}}')),
    "an unknown field": said(ok(b'{"answer": {}, "more": 1}')),
    "a failure without a reason": said(b"HTTP/1.1 502 Bad\r\ncontent-length: 3\r\n\r\nbad"),
    "a failure with half a reason": said(b"HTTP/1.1 422 No\r\ncontent-length: 2\r\n\r\n[]"),
    "half an answer": half,
    "nothing": lambda connection: connection.shutdown(socket.SHUT_RDWR),
    "a slow body": drip,
    "silence": hold,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_whoever_answers_nonsense_is_named_and_its_twin_answers(
    stack: ExitStack, stubbed: Any, lie: Say
) -> None:
    liar = stack.enter_context(saying(lie))
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="search process 0"):
        remote(stack, liar).search(REQUEST)
    assert time.monotonic() - begun < 2
    with_twin = remote(stack, liar, stubbed(lambda _: EMPTY))
    assert [with_twin.search(REQUEST) for _ in range(3)] == [EMPTY] * 3


def test_a_connection_that_was_closed_meanwhile_is_made_anew(stack: ExitStack) -> None:
    """The other side may close it in the very moment in which it is used again."""
    known = set[socket.socket]()

    def once(connection: socket.socket) -> None:
        if connection in known:
            connection.shutdown(socket.SHUT_RDWR)
        else:
            known.add(connection)
            connection.sendall(ok(answer_to_json(EMPTY)))

    searcher = remote(stack, stack.enter_context(saying(once)))
    assert [searcher.search(REQUEST) for _ in range(3)] == [EMPTY] * 3
    assert len(known) == 3


def test_threads_share_connections_and_never_answers(stack: ExitStack, stubbed: Any) -> None:
    url = stubbed(lambda request: replace(EMPTY, rows_seen=request.limit))
    searcher = remote(stack, url)
    patient = replace(REQUEST, deadline_ms=20_000)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: searcher.search(replace(patient, limit=n)).rows_seen, range(200))
        assert list(found) == list(range(200))
    (process,) = searcher._processes
    assert 1 <= len(process._idle) <= 8


def test_what_takes_no_connection_holds_nobody_up(stack: ExitStack, stubbed: Any) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in waiting:  # the queue of connections to be taken overflows
            one.setblocking(False)
            one.connect_ex(address)
        urls = [f"http://127.0.0.1:{address[1]}", stubbed(lambda _: EMPTY)]
        begun = time.monotonic()
        assert remote(stack, *urls).search(REQUEST) == EMPTY
        assert time.monotonic() - begun < 0.6


def test_a_name_that_nobody_has_is_a_failure_like_others(stack: ExitStack, stubbed: Any) -> None:
    url = "http://nobody.invalid:8082"
    request = replace(REQUEST, deadline_ms=3_000)
    with pytest.raises(Unavailable, match="search process 0 does not answer"):
        remote(stack, url).search(request)
    assert remote(stack, url, stubbed(lambda _: EMPTY)).search(request) == EMPTY


def test_a_refused_connection_is_a_failure_at_once(stack: ExitStack, stubbed: Any) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    begun = time.monotonic()
    assert remote(stack, nobody, stubbed(lambda _: EMPTY)).search(REQUEST) == EMPTY
    assert time.monotonic() - begun < 0.2


def test_an_error_comes_back_as_it_was_raised(stack: ExitStack, stubbed: Any) -> None:
    flaws = (Flaw("/limit", "too_many", "It is too much."),)

    def refuse(_request: SearchRequest) -> SearchAnswer:
        raise Invalid("The limit is too much.", code="bad_limit", flaws=flaws)

    asked = Counter[str]()

    def count(_request: SearchRequest) -> SearchAnswer:
        asked["twin"] += 1
        return EMPTY

    searcher = remote(stack, stubbed(refuse), stubbed(count))
    with pytest.raises(Invalid, match="The limit is too much") as caught:
        searcher.search(REQUEST)
    assert type(caught.value) is Invalid
    assert (caught.value.kind, caught.value.flaws) == ("bad_limit", flaws)
    assert not asked  # what is the caller's fault here would be so there


def test_any_process_answers_for_elasticsearch(stack: ExitStack, stubbed: Any) -> None:
    asked = Counter[str]()
    whole = replace(EMPTY, backend="elasticsearch", plan="knn", shards_ok=7)

    def answer(request: SearchRequest) -> SearchAnswer:
        asked[request.backend] += 1
        return whole

    nobody = f"http://127.0.0.1:{free_port()}"
    searcher = remote(stack, stubbed(answer), nobody, stubbed(answer), groups=3)
    wanted = replace(REQUEST, backend="elasticsearch", products=(WeightedProduct("p1"),))
    assert [searcher.search(wanted) for _ in range(6)] == [whole] * 6
    assert asked == {"elasticsearch": 6}
    assert searcher.search(REQUEST).shards_failed[0].shard == 1


def test_a_process_is_ready_once_all_that_it_holds_was_open(
    stack: ExitStack, shelf: Any, shards: Shards
) -> None:
    url = stack.enter_context(serving(create_app(Stub(lambda _: EMPTY), shards)))

    def ready() -> tuple[int, str]:
        answer = httpx.get(f"{url}/readyz")
        return answer.status_code, str(answer.json().get("detail"))

    assert httpx.get(f"{url}/livez").status_code == 200
    assert ready() == (503, "The catalogue has not been read yet.")
    shelf.index("bad", shards=2)
    shelf.point("bad", 1, "nothing/there.json")
    shards.refresh()
    status, detail = ready()
    assert (status, "shard 1 of bad" in detail, "shard 0" in detail) == (503, True, False)
    shelf.index("good")
    shelf.commit(shelf.entries(1), "good")
    shelf.catalogue.indexes.drop("bad")
    shards.refresh()
    assert ready()[0] == 200
    shelf.index("worse")
    shelf.point("worse", 0, "nothing/there.json")
    shards.refresh()
    assert ready()[0] == 200


def test_what_breaks_in_a_process_is_a_failure_of_that_process(
    stack: ExitStack, stubbed: Any
) -> None:
    def broken(_request: SearchRequest) -> SearchAnswer:
        raise OSError(5, "Input/output error")

    url = stubbed(broken)
    with pytest.raises(Unavailable, match="its log says more"):
        remote(stack, url).search(REQUEST)
    assert remote(stack, url, stubbed(lambda _: EMPTY)).search(REQUEST) == EMPTY


def test_a_process_that_is_full_turns_away_at_once_and_its_twin_answers(
    stack: ExitStack, stubbed: Any
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def busy(_request: SearchRequest) -> SearchAnswer:
        inside.set()
        go_on.wait(10)
        return EMPTY

    url = stubbed(busy, threads=1, waiting=0)
    patient = replace(REQUEST, deadline_ms=10_000)
    first = threading.Thread(target=lambda: remote(stack, url).search(patient))
    first.start()
    assert inside.wait(10)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="1 requests are under way"):
        remote(stack, url).search(patient)
    assert remote(stack, url, stubbed(lambda _: EMPTY)).search(patient) == EMPTY
    assert time.monotonic() - begun < 2
    go_on.set()
    first.join()


def test_a_process_hears_how_much_time_is_left_and_under_which_name_to_log(
    stack: ExitStack, stubbed: Any
) -> None:
    heard: list[tuple[int, object]] = []

    def listen(request: SearchRequest) -> SearchAnswer:
        heard.append((request.deadline_ms, logs.current("request_id")))
        return EMPTY

    with logs.context(request_id="req_7"):
        remote(stack, stubbed(listen)).search(REQUEST)
    ((deadline, name),) = heard
    assert 0 < deadline < REQUEST.deadline_ms
    assert name == "req_7"


@pytest.fixture
def two_groups(stack: ExitStack, shelf: Any) -> RemoteSearcher:
    """Over whatever the shelf has at this moment."""
    urls = []
    for group in range(2):
        shards = Shards(shelf.catalogue, shelf.blobs, replica=f"g{group}", group=group, groups=2)
        stack.callback(shards.close)
        shards.refresh()
        searcher = stack.enter_context(closing(LocalSearcher(shards, annoy=False)))
        urls.append(stack.enter_context(serving(create_app(searcher, shards))))
    return remote(stack, *urls, groups=2)


@pytest.fixture
def uneven(shelf: Any) -> Counter[str]:
    """Brands such that the most frequent one of all is the second one in either group."""
    shelf.index(shards=2)
    by_group: dict[int, list[int]] = {0: [], 1: []}
    for number in range(100):
        by_group[shard_of(bucket_of("shop", f"p{number}"), 2)].append(number)
    truth = Counter[str]()
    entries = []
    for group, numbers in by_group.items():
        for brand, part in ((f"Own{group}", numbers[:20]), ("Both", numbers[20:39])):
            entries += shelf.entries(*part, brand=brand)
            truth[brand] += len(part)
    shelf.commit(entries)
    return truth


def test_facets_count_what_no_group_counts_first(
    uneven: Counter[str], two_groups: RemoteSearcher
) -> None:
    assert uneven["Both"] > uneven["Own0"] == uneven["Own1"]
    answer = two_groups.search(replace(REQUEST, facets=(FacetRequest("brand", 1),)))
    assert [(f.value, f.count) for f in answer.facets["brand"]] == [("Both", uneven["Both"])]


def test_an_index_of_fewer_shards_than_groups_is_whole(
    shelf: Any, request: pytest.FixtureRequest
) -> None:
    shelf.index(shards=1)
    shelf.commit(shelf.entries(*range(10)))
    searcher: RemoteSearcher = request.getfixturevalue("two_groups")
    answer = searcher.search(REQUEST)
    assert (answer.shards_ok, answer.partial, len(answer.hits)) == (1, False, 10)
    assert (answer.generation, answer.as_of) == (1, 1)
    assert searcher.backends("idx")[0].healthy
    by_product = replace(REQUEST, vector=None, products=(WeightedProduct("p3"),))
    assert len(searcher.search(by_product).hits) == 9
    with pytest.raises(Conflict):
        searcher.search(replace(by_product, products=(WeightedProduct("p99"),)))


def test_who_holds_nothing_of_an_index_does_not_answer_for_it(
    stack: ExitStack, stubbed: Any
) -> None:
    elsewhere = replace(EMPTY, shards_ok=0, shards_failed=(ShardFailure(0, "not held"),))
    urls = [f"http://127.0.0.1:{free_port()}", stubbed(lambda _: elsewhere)]
    with pytest.raises(Unavailable, match="search process 0"):
        remote(stack, *urls, groups=2).search(REQUEST)


def test_a_group_that_has_not_heard_of_an_index_fails_alone(
    stack: ExitStack, shelf: Any, shards: Shards
) -> None:
    shelf.index(shards=2)
    shelf.commit(shelf.entries(*range(20)))
    knows = Shards(shelf.catalogue, shelf.blobs, replica="r", group=0, groups=2)
    stack.callback(knows.close)
    knows.refresh()
    urls = [
        stack.enter_context(serving(create_app(searcher, held)))
        for held in (knows, shards)
        for searcher in [stack.enter_context(closing(LocalSearcher(held, annoy=False)))]
    ]
    answer = remote(stack, *urls, groups=2).search(REQUEST)
    assert [(f.shard, f.reason) for f in answer.shards_failed] == [
        (1, "No index 'idx' is held here.")
    ]


@pytest.mark.parametrize(
    ("urls", "groups"), [((), 1), (("http://a",), 2), (("https://a",), 1), (("a:8082",), 1)]
)
def test_a_topology_that_cannot_be_is_refused(urls: tuple[str, ...], groups: int) -> None:
    with pytest.raises(Invalid):
        RemoteSearcher(urls, groups)
