"""What every `Embedder` promises, wherever it runs; an adapter is one more line in `_KINDS`."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.embedder.app import create_app
from services.embedder.decode import decode
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.local import ChildEmbedder
from shared.errors import Invalid
from shared.images import MAX_PICTURE_BYTES, Crop
from shared.seams.embedder import Embedder, Embedding, Failure
from shared.seams.remembering import RememberingEmbedder
from shared.seams.remote_embedder import RemoteEmbedder
from shared.seams.vectors_cache import LruVectors
from shared.vectors import Floats
from tests.servers.application import serving

MODEL = Path("services/embedder/models/small").resolve()


@contextmanager
def _http() -> Iterator[Embedder]:
    """A real server, and what a gateway has of it."""
    with (
        serving(create_app(InProcessEmbedder(MODEL))) as url,
        closing(RemoteEmbedder(url)) as embedder,
    ):
        yield embedder


_KINDS: dict[str, Callable[[], AbstractContextManager[Embedder]]] = {
    "in-process": lambda: nullcontext(InProcessEmbedder(MODEL)),
    "child": lambda: ChildEmbedder(MODEL),
    "http": _http,
    "remembering": lambda: nullcontext(RememberingEmbedder(InProcessEmbedder(MODEL), LruVectors())),
}


@pytest.fixture(scope="module", params=_KINDS)
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    with _KINDS[request.param]() as one:
        yield one


def _picture(seed: int, width: int = 180, height: int = 240, suffix: str = ".jpg") -> bytes:
    """A seeded blot on white: colours and edges enough to tell two seeds apart."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 255, np.uint8)
    points = rng.integers((20, 20), (width - 20, height - 20), (7, 2)).astype(np.int32)
    colour = [int(value) for value in rng.integers(0, 200, 3)]
    cv2.fillPoly(pixels, [points], colour)
    encoded: bytes = cv2.imencode(suffix, pixels)[1].tobytes()
    return encoded


def _embedding(result: Embedding | Failure) -> Embedding:
    assert isinstance(result, Embedding), result
    return result


def _vector(result: Embedding | Failure) -> Floats:
    return np.frombuffer(_embedding(result).vector, np.float32)


def test_every_space_of_a_vector_has_unit_length(embedder: Embedder) -> None:
    vector = _vector(embedder.embed([_picture(1)])[0])
    assert len(vector) == embedder.spaces.dim
    for part in embedder.spaces.slices().values():
        assert np.linalg.norm(vector[part]) == pytest.approx(1, abs=1e-5)


def test_answers_come_in_the_order_of_the_pictures(embedder: Embedder) -> None:
    pictures = [_picture(seed) for seed in range(5)]
    together = embedder.embed(pictures)
    alone = [embedder.embed([picture])[0] for picture in pictures]
    assert together == alone
    assert len({_embedding(one).vector for one in together}) == len(pictures)


def test_nothing_in_gives_nothing_out(embedder: Embedder) -> None:
    assert embedder.embed([]) == []


def test_a_bad_picture_is_a_failure_at_its_place_and_hurts_no_other(embedder: Embedder) -> None:
    good = _picture(3)
    first, text, cut_off, last = embedder.embed([good, b"no picture", good[:-200], good])
    assert first == last == embedder.embed([good])[0]
    assert isinstance(text, Failure)
    assert text.code == "unsupported_media_type"
    assert isinstance(cut_off, Failure)
    assert cut_off.code == "undecodable_image"
    assert "cut off" in cut_off.detail


def test_a_picture_of_too_many_bytes_is_a_failure(embedder: Embedder) -> None:
    large, good = embedder.embed([_picture(3) + bytes(MAX_PICTURE_BYTES), _picture(3)])
    assert isinstance(large, Failure)
    assert large.code == "too_large"
    assert isinstance(good, Embedding)


def test_the_size_is_that_of_the_original(embedder: Embedder) -> None:
    result = _embedding(embedder.embed([_picture(4, 1400, 1000)])[0])
    assert (result.width, result.height) == (1400, 1000)
    assert len(result.phash) == 16


def test_a_thumbnail_is_made_only_where_asked_for_and_needed(embedder: Embedder) -> None:
    large, small = _picture(5, 800, 400), _picture(5, 200, 100)
    assert [_embedding(one).thumbnail for one in embedder.embed([large, small])] == [None, None]
    made, unneeded = embedder.embed([large, small], thumbnails=True)
    assert _embedding(unneeded).thumbnail is None
    thumbnail = _embedding(made).thumbnail
    assert thumbnail is not None
    (seen,) = embedder.embed([thumbnail])
    assert (_embedding(seen).width, _embedding(seen).height) == (256, 128)


def test_a_crop_gives_the_vector_of_that_part(embedder: Embedder) -> None:
    left, right = _picture(6, suffix=".png"), _picture(7, suffix=".png")
    sides = [decode(picture).pixels[..., ::-1] for picture in (left, right)]
    both: bytes = cv2.imencode(".png", np.concatenate(sides, axis=1))[1].tobytes()
    (cropped,) = embedder.embed([both], crop=Crop(0.5, 0, 0.5, 1))
    assert _embedding(cropped).vector == _embedding(embedder.embed([right])[0]).vector
    assert _embedding(cropped).width == 360


def test_a_crop_outside_the_picture_is_refused(embedder: Embedder) -> None:
    with pytest.raises(Invalid, match="inside") as refused:
        embedder.embed([_picture(1)], crop=Crop(0.6, 0, 0.5, 1))
    assert refused.value.kind == "bad_crop"


def test_threads_may_call_at_the_same_time(embedder: Embedder) -> None:
    pictures = [_picture(seed) for seed in range(4)]
    expected = embedder.embed(pictures)
    found: list[list[Embedding | Failure]] = []
    threads = [
        threading.Thread(target=lambda: found.append(embedder.embed(pictures))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
