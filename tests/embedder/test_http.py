"""The embedder over HTTP when it is not there, not ready, another one, or out of its mind."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

import pytest

from services.embedder.app import create_app
from shared.errors import Invalid, Unavailable
from shared.images import MAX_PICTURE_BYTES, Crop
from shared.models import BundledModel
from shared.runtime import logs
from shared.seams import embedding_wire as wire
from shared.seams.embedder import Embedder, Embedding, Failure
from shared.seams.embedding_wire import PicturesAsked
from shared.seams.remote_embedder import RemoteEmbedder
from shared.spaces import Space, Spaces
from tests.servers.application import serving
from tests.servers.liar import saying
from tests.servers.process import free_port

SPACES = Spaces("model-1", (Space("content", 2, "c-1"),))
OTHERS = Spaces("model-2", (Space("content", 3, "c-2"),))


class Echo:
    """An `Embedder` whose vectors are its pictures."""

    def __init__(self, spaces: Spaces = SPACES) -> None:
        self.spaces = spaces
        self.calls: list[int] = []
        self.heard: list[object] = []

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        self.calls.append(len(pictures))
        self.heard.append(logs.current("request_id"))
        return [_echo(picture, crop, thumbnails=thumbnails) for picture in pictures]


def _echo(picture: bytes, crop: Crop | None, *, thumbnails: bool) -> Embedding | Failure:
    if picture == b"bad":
        return Failure("undecodable_image", "Nothing is to be seen.")
    width = 100 if crop is None else int(100 * crop.width)
    return Embedding(picture, width, 1, "00ff", b"small" if thumbnails else None)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


@pytest.fixture
def connected(stack: ExitStack) -> Callable[..., RemoteEmbedder]:
    """What a gateway has of an embedder that runs as a test says."""

    def made(embedder: Embedder, **limits: Any) -> RemoteEmbedder:
        return at(stack, stack.enter_context(serving(create_app(embedder, **limits))))

    return made


def at(stack: ExitStack, url: str, timeout_s: float = 5.0) -> RemoteEmbedder:
    return stack.enter_context(closing(RemoteEmbedder(url, timeout_s=timeout_s)))


def test_everything_that_is_said_arrives(connected: Callable[..., RemoteEmbedder]) -> None:
    echo = Echo()
    embedder = connected(echo)
    crop = Crop(0.25, 0.25, 0.5, 0.5)
    with logs.context(request_id="req_9"):
        found = embedder.embed([b"one", b"bad", b""], crop=crop, thumbnails=True)
    assert found == [
        Embedding(b"one", 50, 1, "00ff", b"small"),
        Failure("undecodable_image", "Nothing is to be seen."),
        Embedding(b"", 50, 1, "00ff", b"small"),
    ]
    assert (echo.calls, echo.heard) == ([3], ["req_9"])


def test_many_pictures_go_in_bodies_that_are_taken(
    connected: Callable[..., RemoteEmbedder],
) -> None:
    echo = Echo()
    large = [bytes([n]) * MAX_PICTURE_BYTES for n in range(4)]
    pictures = [*large, *(b"%d" % n for n in range(40))]
    found = connected(echo).embed(pictures)
    assert [one.vector for one in found if isinstance(one, Embedding)] == pictures
    assert len(echo.calls) == 3
    assert sum(echo.calls) == len(pictures)


def test_an_embedder_that_starts_later_is_unavailable_until_then(stack: ExitStack) -> None:
    port = free_port()
    embedder = at(stack, f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable, match="the embedder does not answer: Connection refused"):
        _ = embedder.spaces
    with pytest.raises(Unavailable, match="Connection refused"):
        embedder.embed([b"one"])
    stack.enter_context(serving(create_app(Echo()), port))
    assert embedder.spaces == SPACES
    assert len(embedder.embed([b"one"])) == 1


def test_vectors_of_another_model_are_never_taken_for_the_one_that_is_known(
    connected: Callable[..., RemoteEmbedder],
) -> None:
    echo = Echo()
    embedder = connected(echo)
    assert embedder.spaces == SPACES
    echo.spaces = OTHERS
    with pytest.raises(Unavailable, match="another model"):
        embedder.embed([b"one"])
    assert embedder.spaces == OTHERS
    assert len(embedder.embed([b"one"])) == 1


@pytest.mark.parametrize(
    "lie",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xff\xff\xff",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nNot Found",
        b"220 smtp.example\r\n\r\n",
    ],
)
def test_what_is_no_embedder_is_unavailable(stack: ExitStack, lie: bytes) -> None:
    embedder = at(stack, stack.enter_context(saying(lambda connection: connection.sendall(lie))))
    with pytest.raises(Unavailable, match="the embedder"):
        _ = embedder.spaces


def test_an_embedder_that_hangs_is_given_up_in_time(stack: ExitStack) -> None:
    def hang(connection: socket.socket) -> None:
        connection.recv(1)

    embedder = at(stack, stack.enter_context(saying(hang)), timeout_s=0.2)
    embedder._spaces = SPACES
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="the embedder gave no answer by the deadline"):
        embedder.embed([b"x" * 5_000_000])
    assert time.monotonic() - begun < 2


def test_an_embedder_that_is_full_says_so_at_once(connected: Callable[..., RemoteEmbedder]) -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Busy(Echo):
        def embed(self, pictures: Sequence[bytes], **_how: object) -> list[Embedding | Failure]:
            inside.set()
            go_on.wait(10)
            return [_echo(picture, None, thumbnails=False) for picture in pictures]

    embedder = connected(Busy(), threads=1, waiting=0)
    assert embedder.spaces == SPACES
    first = threading.Thread(target=lambda: embedder.embed([b"one"]))
    first.start()
    assert inside.wait(10)
    with pytest.raises(Unavailable, match="under way"):
        embedder.embed([b"two"])
    go_on.set()
    first.join()


def test_what_the_embedder_refuses_comes_back_as_it_was(
    connected: Callable[..., RemoteEmbedder],
) -> None:
    class Strict(Echo):
        def embed(self, *_asked: object, **_how: object) -> list[Embedding | Failure]:
            raise Invalid("Not like this.", code="bad_crop")

    with pytest.raises(Invalid, match="Not like this") as refused:
        connected(Strict()).embed([b"one"])
    assert refused.value.kind == "bad_crop"


def test_the_models_that_come_along_are_told_whole(stack: ExitStack) -> None:
    brought = (BundledModel("a", SPACES, {"version": "1", "sizes": {"x": 1}}),)
    url = stack.enter_context(serving(create_app(Echo(), bundled=brought)))
    assert at(stack, url).bundled() == brought


def test_nobody_takes_an_embedder_that_is_away_for_one_without_models(stack: ExitStack) -> None:
    embedder = at(stack, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="which models are bundled, try again"):
        embedder.bundled()


@pytest.mark.parametrize("body", [b"", b"\x01", b"\x02\0\0\0{}", b"\x02\0\0\0[]", b"\xff" * 40])
def test_a_body_that_is_not_made_of_frames_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        wire.asked_from_body(body)


def test_what_is_asked_comes_back_the_same() -> None:
    for crop in (None, Crop(0, 0.1, 0.2, 0.3)):
        asked = PicturesAsked((b"", b"x", b"\0" * 99), crop, thumbnails=True)
        assert wire.asked_from_body(wire.asked_to_body(asked)) == asked
