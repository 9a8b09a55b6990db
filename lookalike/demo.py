"""`lookalike demo`: everything in one process, a sample catalogue brought in through the real import."""

import json
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
import uvicorn
from rich.console import Console
from rich.progress import Progress

from lookalike.embedded import TENANT, Embedded, embedded
from services.gateway.keys import ensure_key
from shared.errors import LookalikeError
from shared.jobs import FINISHED
from shared.runtime.http import listening
from shared.runtime.logs import configure

SAMPLE_PRODUCTS = 320
SAMPLE_SEED = 7
PATIENCE_S = 300.0

_notes = Console(stderr=True)


def run(
    *, port: int, data: Path, catalogue: Literal["sample", "none"], browser: bool, as_json: bool
) -> int:
    """Runs until SIGTERM or Ctrl-C; one line on standard output says that all is ready."""
    configure("WARNING")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    samples = (data / "sample").absolute()
    samples.mkdir(parents=True, exist_ok=True)
    with (
        listening("127.0.0.1", port) as sock,
        embedded(data, import_roots=(samples,)) as house,
        _serving(house, sock),
    ):
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        admin = ensure_key(house.catalogue, TENANT, "admin", "demo")
        if catalogue == "sample" and not stop.is_set():
            bring_in_sample(house, url, admin, samples, stop)
        if not stop.is_set():
            _announce(house, url, admin, as_json=as_json)
            if browser and sys.stdout.isatty():
                webbrowser.open(url)
        stop.wait()
    return 0


def bring_in_sample(
    house: Embedded, url: str, admin_key: str, folder: Path, stop: threading.Event
) -> None:
    """Draws the catalogue and imports it, unless that was done at an earlier start."""
    headers = {"Authorization": f"Bearer {admin_key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client, _progress() as show:
        earlier = [imp.import_id for imp in house.catalogue.imports.recent(TENANT, 1)]
        import_id = earlier[0] if earlier else _start_import(client, _draw(folder, show), show)
        _wait(lambda: _imported(client, import_id, show), stop)
        _wait(lambda: _searchable(house, show), stop)


def _draw(folder: Path, show: "_Show") -> Path:
    from lookalike.sample.catalogue import make  # noqa: PLC0415 - a second start draws nothing

    path = folder / "catalogue.bson"
    make(
        path,
        products=SAMPLE_PRODUCTS,
        seed=SAMPLE_SEED,
        progress=lambda done: show("drawing the sample catalogue", done, SAMPLE_PRODUCTS),
    )
    return path


def _start_import(client: httpx.Client, path: Path, show: "_Show") -> str:
    show("importing it", 0, SAMPLE_PRODUCTS)
    answer = client.post(
        "/v1/imports",
        json={
            "format": "bson",
            "source": {"path": str(path)},
            "categories": {"path": str(path.with_name("category_names.csv"))},
        },
    )
    if answer.is_error:
        raise LookalikeError(f"The sample could not be imported: {answer.text}")
    return Path(answer.headers["Location"]).name


def _imported(client: httpx.Client, import_id: str, show: "_Show") -> bool:
    found = client.get(f"/v1/jobs/{import_id}", params={"wait": "1s"}).raise_for_status().json()
    show("importing it", int(found["progress"].get("read", 0)), SAMPLE_PRODUCTS)
    if found["state"] in FINISHED and found["state"] != "succeeded":
        raise LookalikeError(f"The sample's import {found['state']}: {found.get('detail')}")
    return found["state"] in FINISHED


def _searchable(house: Embedded, show: "_Show") -> bool:
    indexes = house.catalogue.indexes.all(TENANT)
    waiting = sum(
        house.catalogue.products.count_pending(name)[0]
        for index in indexes
        for name in index.target_names()
    )
    unseen = house.catalogue.images.unembedded(house.spaces.fingerprint, TENANT)
    total = house.catalogue.products.count(TENANT)
    show("making it searchable", max(0, total - waiting), max(total, 1))
    return not waiting and not unseen


def _wait(done: Callable[[], bool], stop: threading.Event) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if stop.wait(0.05):
            return
        if time.monotonic() > deadline:
            raise LookalikeError(f"The sample catalogue was not ready within {PATIENCE_S:g} s.")


def _announce(house: Embedded, url: str, admin_key: str, *, as_json: bool) -> None:
    ready = {
        "url": url,
        "admin_key": admin_key,
        "search_key": ensure_key(house.catalogue, TENANT, "search", "page"),
        "products": house.catalogue.products.count(TENANT),
        "pid": os.getpid(),
    }
    if as_json:
        sys.stdout.write(json.dumps(ready) + "\n")
    else:
        sys.stdout.write(
            f"Lookalike is ready at {url} with {ready['products']} products "
            f"(admin key {ready['admin_key']}, search key {ready['search_key']}); Ctrl-C ends it.\n"
        )
    sys.stdout.flush()


@contextmanager
def _serving(house: Embedded, sock: socket.socket) -> Iterator[None]:
    """HTTP on a thread of its own; leaving lets requests under way finish."""
    config = uvicorn.Config(
        house.app, log_level="warning", access_log=False, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([sock],), name="http")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()


_Show = Callable[[str, int, int], None]


@contextmanager
def _progress() -> Iterator[_Show]:
    """Bars on a terminal, a line a step elsewhere, always on standard error."""
    if not _notes.is_terminal:
        said: set[str] = set()

        def tell(step: str, _done: int, _total: int) -> None:
            if step not in said:
                said.add(step)
                _notes.print(step)

        yield tell
        return
    with Progress(console=_notes) as bars:
        tasks: dict[str, object] = {}

        def draw(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)  # type: ignore[arg-type]

        yield draw
