"""The first search by picture after an alias moved to another model, over embedders of real processes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.embedder.app import create_app as embedder_app
from services.embedder.local import ChildEmbedder
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.embedder.on_duty import OnDuty
from services.gateway.app import create_app
from services.gateway.keys import ensure_key
from services.gateway.ports import Ports
from shared.hits import SearchRequest
from shared.jobs import Job
from shared.seams.remembering import RememberingEmbedder
from shared.seams.remote_embedder import RemoteEmbedder
from shared.seams.vectors_cache import LruVectors
from tests.gateway.conftest import BruteSearcher
from tests.model_folders import turned
from tests.servers.application import serving

OWN = BUNDLED / DEFAULT


@dataclass
class Street:
    """Starts embedders of folders, and remembers of which."""

    folders: dict[str, Path]
    started: list[str] = field(default_factory=list)

    def start(self, folder: Path) -> ChildEmbedder:
        self.started.append(folder.name)
        return ChildEmbedder(folder)

    @contextmanager
    def here(self) -> Iterator[tuple[OnDuty, RememberingEmbedder]]:
        """In the gateway's process, as embedded."""
        with OnDuty(OWN, self.folders.get, self.start, others=1) as duty:
            yield duty, RememberingEmbedder(duty, LruVectors(), duty)

    @contextmanager
    def over_http(self) -> Iterator[tuple[OnDuty, RememberingEmbedder]]:
        """In another process, as distributed."""
        with (
            OnDuty(OWN, self.folders.get, self.start, others=1) as duty,
            serving(embedder_app(duty, duty)) as url,
            closing(RemoteEmbedder(url)) as embedder,
        ):
            yield duty, RememberingEmbedder(embedder, LruVectors(), embedder)


class Blank(BruteSearcher):
    """Shows nothing, whatever model it is asked with."""

    def _query(self, request: SearchRequest, shown: object) -> None: ...


@dataclass(frozen=True)
class Shop:
    client: TestClient
    street: Street
    duty: OnDuty
    draw: Callable[[int], bytes]

    def move(self, index: str, version: int) -> None:
        headers = {"If-Match": f'"{version}"'}
        moved = self.client.put("/v1/aliases/live", json={"index_id": index}, headers=headers)
        assert moved.status_code == 200, moved.text

    def ask(self, seed: int) -> None:
        """A search by a picture that nobody has seen is answered in time, and starts no model."""
        before = list(self.street.started)
        answer = self.client.post(
            "/v1/search/image",
            content=self.draw(seed),
            headers={"Content-Type": "image/jpeg"},
        )
        assert answer.status_code == 200, answer.text
        assert self.street.started == before


@pytest.fixture
def street(tmp_path: Path) -> Street:
    folders = [turned(tmp_path / name, seed) for seed, name in enumerate(("a", "b"), start=1)]
    return Street({_fingerprint(folder): folder for folder in folders})


@pytest.fixture(params=["here", "over_http"])
def shop(request: pytest.FixtureRequest, street: Street, ports: Ports, draw: Any) -> Iterator[Shop]:
    """Its index is of the bundled model; those of others, `a` and `b`, have stood their exams."""
    catalogue = ports.catalogue
    live = catalogue.indexes.get("idx_test")
    assert live is not None
    for name, folder in [("own", OWN), *((f.name, f) for f in street.folders.values())]:
        spaces = read_manifest(folder).spaces
        catalogue.indexes.create(replace(live, index_id=f"idx_{name}", spaces=spaces))
        told = {"index": f"idx_{name}", "against": "idx_own", "passed": True, "reasons": []}
        exam = Job(f"evl_{name}", "default", "evaluation", "succeeded", 1, 1, told)
        catalogue.office.put_job(exam)
    catalogue.indexes.move_alias("default", "live", "idx_own")
    key = ensure_key(catalogue, "default", "admin", "tests")
    kind: AbstractContextManager[tuple[OnDuty, RememberingEmbedder]] = getattr(
        street, request.param
    )()
    with kind as (duty, embedder):
        inside = replace(ports, embedder=embedder, embedders=embedder, searcher=Blank(catalogue))
        headers = {"Authorization": f"Bearer {key}"}
        with TestClient(create_app(inside), headers=headers) as client:
            yield Shop(client, street, duty, draw)


def test_the_first_picture_after_a_move_finds_the_model_started(shop: Shop) -> None:
    shop.ask(1)
    shop.move("idx_a", 2)
    assert shop.street.started == [OWN.name, "a"]
    shop.ask(2)


def test_a_model_that_was_sent_home_since_it_was_asked_is_started_again(shop: Shop) -> None:
    shop.move("idx_a", 2)
    _send_home(shop)
    shop.client.post("/v1/aliases/live:rollback")
    shop.move("idx_a", 4)
    assert shop.street.started == [OWN.name, "a", "b", "a"]
    shop.ask(3)


def test_the_first_picture_after_a_rollback_finds_the_model_started(shop: Shop) -> None:
    shop.move("idx_a", 2)
    headers = {"If-Match": '"3"'}
    forced = {"index_id": "idx_b", "force": True, "reason": "To see."}
    assert shop.client.put("/v1/aliases/live", json=forced, headers=headers).status_code == 200
    shop.ask(4)
    assert shop.client.post("/v1/aliases/live:rollback").status_code == 200
    assert shop.street.started == [OWN.name, "a", "b", "a"]
    shop.ask(5)


def _send_home(shop: Shop) -> None:
    """There is room for one beside the settings' model."""
    (b,) = (folder for folder in shop.street.folders.values() if folder.name == "b")
    assert shop.duty.of(_fingerprint(b)) is not None


def _fingerprint(folder: Path) -> str:
    return read_manifest(folder).spaces.fingerprint
