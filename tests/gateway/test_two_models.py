"""Indexes of two models beside each other: a picture is looked for with the model of its index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from services.gateway.app import create_app
from services.gateway.keys import ensure_key
from services.gateway.ports import Ports
from shared.errors import Unavailable
from shared.images import Crop
from shared.indexes import Index
from shared.seams.embedder import Embedder, Embedding, Failure
from shared.seams.remembering import RememberingEmbedder
from shared.seams.vectors_cache import LruVectors
from shared.spaces import Spaces

JPEG = {"Content-Type": "image/jpeg"}
CANDIDATE = "idx_candidate"
FORGOTTEN = "idx_forgotten"


@dataclass
class Contrary:
    """Another model: it sees everything the other way round."""

    embedder: Embedder
    calls: int = 0
    down: bool = False

    @property
    def spaces(self) -> Spaces:
        return replace(self.embedder.spaces, fingerprint="fp-candidate")

    def of(self, fingerprint: str) -> Embedder | None:
        if self.down:
            raise Unavailable("The model of fp-candidate cannot be started.")
        return self if fingerprint == "fp-candidate" else None

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        self.calls += 1
        found = self.embedder.embed(pictures, crop=crop, thumbnails=thumbnails)
        return [
            one if isinstance(one, Failure) else replace(one, vector=_turned(one.vector))
            for one in found
        ]


def _turned(vector: bytes) -> bytes:
    return (-np.frombuffer(vector, np.float32)).tobytes()


@pytest.fixture
def candidate(ports: Ports) -> Contrary:
    return Contrary(ports.embedder)


@pytest.fixture
def ask(ports: Ports, candidate: Contrary, draw: Callable[..., bytes]) -> Iterator[Any]:
    """A shopper's search by picture, and what the searcher was asked."""
    for index_id, fingerprint in ((CANDIDATE, "fp-candidate"), (FORGOTTEN, "fp-forgotten")):
        spaces = replace(ports.embedder.spaces, fingerprint=fingerprint)
        ports.catalogue.indexes.create(
            Index(index_id, "default", "shoes@2", spaces, 1, ("segments",), (), "ready", 0)
        )
    remembering = RememberingEmbedder(ports.embedder, LruVectors(), candidate)
    both = replace(ports, embedder=remembering, embedders=remembering)
    key = ensure_key(ports.catalogue, "default", "search", "tests")

    with TestClient(create_app(both), headers={"Authorization": f"Bearer {key}"}) as shopper:
        yield lambda index="live": shopper.post(
            f"/v1/search/image?index={index}", content=draw(7), headers=JPEG
        )


def _vector(ports: Ports, draw: Callable[..., bytes]) -> bytes:
    (found,) = ports.embedder.embed([draw(7)])
    assert isinstance(found, Embedding)
    return found.vector


def test_each_index_is_asked_with_vectors_of_its_own_model(
    ask: Any, searcher: Any, ports: Ports, draw: Callable[..., bytes]
) -> None:
    assert ask("live").status_code == ask(CANDIDATE).status_code == 200
    live, other = searcher.asked
    assert (live.fingerprint, other.fingerprint) == ("fp-test", "fp-candidate")
    assert live.vector == _vector(ports, draw)
    assert other.vector == _turned(live.vector)


def test_queries_follow_an_alias_to_another_model_at_once(
    ask: Any, searcher: Any, ports: Ports
) -> None:
    ask()
    ports.catalogue.indexes.move_alias("default", "live", CANDIDATE)
    ask()
    ports.catalogue.indexes.move_alias("default", "live", "idx_test")
    ask()
    prints = [request.fingerprint for request in searcher.asked]
    assert prints == ["fp-test", "fp-candidate", "fp-test"]
    before, between, after = (request.vector for request in searcher.asked)
    assert between == _turned(before)
    assert after == before


def test_what_was_asked_about_is_remembered_model_by_model(ask: Any, candidate: Contrary) -> None:
    for index in (CANDIDATE, "live", CANDIDATE):
        assert ask(index).status_code == 200
    assert candidate.calls == 1


def test_an_index_of_a_model_that_nobody_has_says_which(ask: Any) -> None:
    answer = ask(FORGOTTEN)
    assert (answer.status_code, answer.json()["code"]) == (409, "other_model")
    assert "'shoes@2'" in answer.json()["detail"]
    assert "register" in answer.json()["detail"]


def test_a_model_that_cannot_be_started_is_unavailable_and_the_others_answer(
    ask: Any, candidate: Contrary
) -> None:
    candidate.down = True
    answer = ask(CANDIDATE)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert ask("live").status_code == 200
