"""Trainings as a shop asks for them, in one process and in several over real servers."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.embedder.training.jobs.claims import forget_claims
from services.indexer.ports import Ports
from services.indexer.reconciler import one_round
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.mongo.catalogue import MongoCatalogue
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.targets import Targets
from shared.ids import ulid
from shared.queue.celery.queue import CeleryQueue
from tests.servers.process import Program, Server
from tests.servers.redis import redis_server
from tests.system.demo import demo
from tests.training.jobs.stage import MODEL, TENANT, asked, job_of, post, stock, trainings_of, until

SLOW = "training.told:sleep-600:adapting"


def test_the_embedded_house_goes_on_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with SqliteCatalogue(data / "catalogue.sqlite") as catalogue:
        stock(catalogue)
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", SLOW)
    with demo(data, stop=signal.SIGKILL) as house:
        posted = house.admin.post("/v1/trainings", json={"kind": "adapt", "name": "ours"})
        assert posted.status_code == 202, posted.text
        job = posted.headers["Location"]
        until(lambda: house.admin.get(job).json()["progress"].get("stage") == "reading")
        again = house.admin.post("/v1/trainings", json={"kind": "adapt", "name": "ours"})
        assert (again.status_code, again.json()["code"]) == (409, "model_exists")
        (child,) = trainings_of(house.process.pid)
    until(lambda: not Path(f"/proc/{child}").exists())
    monkeypatch.delenv("LOOKALIKE_FAILPOINT")
    with demo(data) as house:
        until(lambda: house.admin.get(job).json()["state"] == "succeeded")
        told = house.admin.get(job).json()
        assert (told["progress"]["attempts"], told["progress"]["model"]) == (2, "ours@1")
        assert not {"worker", "lease_until"} & set(told["progress"])
        listed = house.admin.get("/v1/jobs").json()["jobs"]
        assert [one["job_id"] for one in listed if one["kind"] == "training"] == [told["job_id"]]
        refused = house.admin.delete(job)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


@dataclass(frozen=True)
class Scene:
    """What trainers stand on, and the reconciler's step that rings for them."""

    ports: Ports
    folder: Path
    settings: dict[str, str]

    def trainer(self, name: str, **more: str) -> Server:
        """A process of its own, ready."""
        heartbeat = self.folder / f"{name}.heartbeat"
        known = {
            **self.settings,
            "LOOKALIKE_DATA": str(self.folder / name),
            "LOOKALIKE_HEARTBEAT": str(heartbeat),
            **more,
        }
        hushed = [f"--unset={name}" for name in os.environ if name.startswith("LOOKALIKE_")]
        module = [sys.executable, "-m", "services.embedder.training.jobs.worker"]
        told = [f"{key}={value}" for key, value in known.items()]
        command = ["/usr/bin/env", *hushed, *told, *module]
        return Server(
            Program(name=name, version="own", url="", command=command, answers=_beats(heartbeat)),
            self.folder,
        )

    def rung(self, done: Callable[[], object]) -> None:
        """Rings as the reconciler does until it is so."""

        def look() -> object:
            one_round(self.ports)
            return done()

        until(look)


def _beats(heartbeat: Path) -> Callable[[str], None]:
    start = time.time()

    def answers(_url: str) -> None:
        if heartbeat.stat().st_mtime < start:
            raise TimeoutError(f"{heartbeat} does not beat")

    return answers


@pytest.fixture
def scene(mongodb_url: str, tmp_path: Path) -> Iterator[Scene]:
    place = f"{mongodb_url}/{ulid()}"
    with (
        redis_server(tmp_path / "redis") as redis,
        closing(CeleryQueue(f"{redis.url}/0")) as queue,
        closing(MongoCatalogue(place)) as catalogue,
    ):
        folder = (tmp_path / "blobs").as_uri()
        settings = {
            "LOOKALIKE_CATALOGUE": place,
            "LOOKALIKE_QUEUE": f"{redis.url}/0",
            "LOOKALIKE_BLOBS": folder,
            "LOOKALIKE_MODEL": str(MODEL),
        }
        stock(catalogue)
        blobs = FsspecBlobs(folder, tmp_path / "cache")
        ports = Ports(catalogue, blobs, queue, Targets(catalogue), tmp_path)
        yield Scene(ports, tmp_path, settings)


def test_trainers_hand_over_and_stand_in_for_one_another(scene: Scene) -> None:
    catalogue, queue = scene.ports.catalogue, scene.ports.queue
    task = post(catalogue, asked())
    slow = scene.trainer("slow", LOOKALIKE_FAILPOINT=SLOW)
    try:
        assert queue.ring(task)
        assert queue.ring(task)
        until(lambda: job_of(catalogue, task).progress.get("stage") == "reading")
        slow.stop()
        handed_over = job_of(catalogue, task)
        assert (handed_over.state, handed_over.progress["attempts"]) == ("queued", 0)
        slow.restart()
        scene.rung(lambda: trainings_of(slow.pid))
        until(lambda: job_of(catalogue, task).progress["attempts"] == 1)
    finally:
        slow.kill()
    other = scene.trainer("other")
    try:
        assert job_of(catalogue, task).state == "running", "nobody knows yet that it died"
        forget_claims(catalogue)  # as if its lease were over
        scene.rung(lambda: job_of(catalogue, task).state == "succeeded")
        assert job_of(catalogue, task).progress["attempts"] == 2
        assert [model.title for model in catalogue.models.all(TENANT)] == ["ours@1"]
        other.stop()
    finally:
        other.kill()
    assert not any((scene.folder / "other" / "trainings").iterdir())
