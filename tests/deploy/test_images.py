"""The images: small, ignorant of each other, nobody's root."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from services.gateway.routes import health
from shared.seams.http.serving import application
from tests.deploy.environment import BEATING, LIVE, PORTS, READY, ROOT, TRAINER, module_is_there
from tests.deploy.images import FILES, IMAGES, Image, imported_by, libraries_of, read

HADOLINT = Path(sys.executable).parent / "hadolint"
every_image = pytest.mark.parametrize("image", IMAGES.values(), ids=lambda image: image.name)
PROCESSES = {
    "gateway": ("services.gateway.serve",),
    "embedder": ("services.embedder.serve", "services.embedder.worker"),
    "indexer": ("services.indexer.worker", "services.indexer.reconcile"),
    "search": ("services.search.serve",),
    "trainer": (TRAINER, "services.embedder.training.jobs.child"),
}
FOLDERS = {"trainer": "embedder"}
"""Of services, where an image is not called as what it holds."""
OPTIONAL = {"annoy", "tensorflow"}
"""Loaded where they are installed, and done without where not."""


def linted(path: Path) -> list[str]:
    answer = subprocess.run(
        [HADOLINT, "--format", "json", path], capture_output=True, text=True, check=False
    )
    return [f"{one['code']} {one['message']}" for one in json.loads(answer.stdout)]


def folder_of(image: Image) -> str:
    return FOLDERS.get(image.name, image.name)


def complaints(image: Image) -> Iterator[str]:
    if image.last("USER") != "10001:10001":
        yield "it runs as somebody else than its own user, by number"
    if not image.last("ENTRYPOINT").startswith("[") or not image.command:
        yield "a shell would get the signals"
    asking = f'CMD ["answers", "{image.port}", "{READY}"]' if image.port else 'CMD ["beats"]'
    if not image.last("HEALTHCHECK").endswith(asking):
        yield "nobody asks whether it is well, or asks in vain, or starts Python for it"
    allowed = {"pyproject.toml", "uv.lock", "shared", "services/__init__.py"}
    allowed |= {f"services/{folder_of(image)}", "docker/answers", "docker/beats"}
    yield from (f"it takes {source}" for source in image.sources - allowed)
    if any(":latest" in base or ":" not in base for base in image.all("ARG") if "BASE" in base):
        yield "a base has no version"
    if not set(image.command[:1]) <= set(PROCESSES[image.name]):
        yield f"{image.command[0]} is no process of it"
    if image.port not in {PORTS.get(process) for process in image.command[:1]}:
        yield f"it exposes {image.port}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_hadolint_has_nothing_to_say(path: Path) -> None:
    assert linted(path) == []


@every_image
def test_an_image_is_well_made(image: Image) -> None:
    assert list(complaints(image)) == []


@every_image
def test_an_image_has_every_library_that_its_processes_import(image: Image) -> None:
    there = libraries_of(image.groups) | sys.stdlib_module_names
    for process in PROCESSES[image.name]:
        assert module_is_there(process)
        _, others = imported_by(process)
        assert others - there - OPTIONAL == set(), process


@every_image
def test_an_image_has_what_celery_imports_to_speak_with_redis(image: Image) -> None:
    assert {"kombu", "packaging", "redis"} <= libraries_of(image.groups)


@every_image
def test_an_image_has_every_module_that_its_processes_import(image: Image) -> None:
    for process in PROCESSES[image.name]:
        ours, _ = imported_by(process)
        foreign = {name for name in ours if name.count(".") and name.startswith("services.")}
        assert {name.split(".")[1] for name in foreign} == {folder_of(image)}
        trains = any(name.startswith("services.embedder.training") for name in ours)
        assert trains == (image.name == "trainer")


@every_image
def test_what_an_image_takes_is_let_through(image: Image) -> None:
    own = ROOT / "docker" / f"{image.name}.Dockerfile.dockerignore"
    ignoring = own if own.exists() else ROOT / ".dockerignore"
    lines = ignoring.read_text(encoding="utf-8").splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}
    for source in image.sources:
        assert (ROOT / source).exists(), source
        assert {source, source.partition("/")[0]} & let_through, source


def test_only_the_trainer_has_what_trains() -> None:
    trains = "services/embedder/training"
    assert trains in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    own = ROOT / "docker" / "trainer.Dockerfile.dockerignore"
    assert trains not in own.read_text(encoding="utf-8")
    assert [name for name, image in IMAGES.items() if "training" in image.groups] == ["trainer"]


def test_what_is_asked_is_answered() -> None:
    gateway = {route.path for route in health.router.routes if isinstance(route, APIRoute)}
    others = application((), lambda: None, threads=1, waiting=1).routes
    assert {LIVE, READY} <= gateway
    assert {LIVE, READY} <= {route.path for route in others if isinstance(route, Route)}


@contextmanager
def answering(status: int) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def is_well(port: int, path: str = "/readyz") -> bool:
    return subprocess.run([ROOT / "docker/answers", str(port), path], check=False).returncode == 0


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False)])
def test_a_process_is_well_that_answers_200(status: int, well: bool) -> None:  # noqa: FBT001
    with answering(status) as port:
        assert is_well(port) is well
        assert not is_well(port, "/elsewhere")


def test_a_port_that_nobody_listens_at_is_not_well() -> None:
    with answering(200) as port:
        pass
    assert not is_well(port)


def beats(heartbeat: Path) -> bool:
    environment = os.environ | {"LOOKALIKE_HEARTBEAT": str(heartbeat)}
    return subprocess.run([ROOT / "docker/beats"], env=environment, check=False).returncode == 0


def test_a_worker_is_well_that_touched_its_file_in_the_last_minute(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    assert not beats(heartbeat)
    heartbeat.touch()
    assert beats(heartbeat)
    os.utime(heartbeat, times=(time.time(), time.time() - 61))
    assert not beats(heartbeat)


def test_what_beats_has_a_file_to_touch_and_what_looks_at_it() -> None:
    for name, processes in PROCESSES.items():
        if set(processes) & set(BEATING):
            image = IMAGES[name]
            assert image.environment["LOOKALIKE_HEARTBEAT"] == "/tmp/heartbeat"  # noqa: S108
            assert "docker/beats" in image.sources


BROKEN = {
    "shell form": (
        'CMD ["services.gateway.serve", "--host", "0.0.0.0"]',
        "CMD services.gateway.serve",
    ),
    "root": ("USER 10001:10001\n", "USER root\n"),
    "everything": ("COPY shared shared", "COPY . ."),
    "any version": ("python:3.11-slim-bookworm", "python:latest"),
    "python to ask": ('CMD ["answers", "8080"', 'CMD ["python", "-m"'),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_in_an_image_is_noticed(mistake: str, tmp_path: Path) -> None:
    text = (ROOT / "docker/gateway.Dockerfile").read_text(encoding="utf-8")
    before, after = BROKEN[mistake]
    assert before in text
    path = tmp_path / "gateway.Dockerfile"
    path.write_text(text.replace(before, after), encoding="utf-8")
    assert list(complaints(read(path)))


def test_hadolint_notices_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "gateway.Dockerfile"
    text = (ROOT / "docker/gateway.Dockerfile").read_text(encoding="utf-8")
    path.write_text(text + "RUN apt-get install curl\n", encoding="utf-8")
    assert linted(path)
