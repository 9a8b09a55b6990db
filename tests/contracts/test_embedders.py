"""What every `Embedders` promises, wherever the models run; an adapter is one more line in `_KINDS`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from services.embedder.app import create_app
from services.embedder.canary import CANARY
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.local import ChildEmbedder
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.embedder.on_duty import OnDuty
from services.embedder.registry import bundled
from shared.errors import Unavailable
from shared.seams.embedder import Embedder, Embedders, Embedding, Failure
from shared.seams.remembering import RememberingEmbedder
from shared.seams.remote_embedder import RemoteEmbedder
from shared.seams.vectors_cache import LruVectors
from tests.model_folders import turned
from tests.servers.application import serving

OWN = BUNDLED / DEFAULT


class Both(Embedder, Embedders, Protocol):
    """How all of them are handed on."""


def _on_duty(others: dict[str, Path]) -> OnDuty:
    return OnDuty(OWN, others.get, ChildEmbedder)


@contextmanager
def _http(others: dict[str, Path]) -> Iterator[Both]:
    with (
        _on_duty(others) as duty,
        serving(create_app(duty, duty)) as url,
        closing(RemoteEmbedder(url)) as embedder,
    ):
        yield embedder


@contextmanager
def _remembering(others: dict[str, Path]) -> Iterator[Both]:
    with _on_duty(others) as duty:
        yield RememberingEmbedder(duty, LruVectors(), duty)


_KINDS: dict[str, Callable[[dict[str, Path]], AbstractContextManager[Both]]] = {
    "on duty": _on_duty,
    "http": _http,
    "remembering": _remembering,
}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return turned(tmp_path_factory.mktemp("models") / "turned")


@pytest.fixture(scope="module", params=_KINDS)
def embedders(
    request: pytest.FixtureRequest, other: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    broken = tmp_path_factory.mktemp("broken")
    known = {read_manifest(other).spaces.fingerprint: other, "broken": broken}
    with _KINDS[request.param](known) as found:
        yield found


def _vector(result: Embedding | Failure) -> bytes:
    assert isinstance(result, Embedding), result
    return result.vector


def test_each_fingerprint_has_the_vectors_of_its_own_model(embedders: Both, other: Path) -> None:
    for folder in (OWN, other):
        spaces = read_manifest(folder).spaces
        one = embedders.of(spaces.fingerprint)
        assert one is not None
        assert one.spaces == spaces
        (found,) = one.embed([CANARY])
        (expected,) = InProcessEmbedder(folder).embed([CANARY])
        np.testing.assert_allclose(
            np.frombuffer(_vector(found), np.float32),
            np.frombuffer(_vector(expected), np.float32),
            atol=1e-5,
        )


def test_the_own_model_is_what_it_is_without_being_asked_for(embedders: Both) -> None:
    own = embedders.of(embedders.spaces.fingerprint)
    assert own is not None
    assert embedders.spaces == read_manifest(OWN).spaces == own.spaces
    assert own.embed([CANARY]) == embedders.embed([CANARY])


def test_a_fingerprint_of_nobody_has_no_embedder(embedders: Both) -> None:
    assert embedders.of("of nobody") is None


def test_a_model_that_cannot_be_started_is_unavailable(embedders: Both) -> None:
    with pytest.raises(Unavailable, match=r"cannot be started.*model\.json cannot be read"):
        embedders.of("broken")


def test_all_bundled_models_can_be_told_apart() -> None:
    prints = [read_manifest(folder).spaces.fingerprint for folder in bundled()]
    assert len(prints) == len(set(prints)) >= 1
