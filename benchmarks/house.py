"""The embedded house in a process of its own: `python -m benchmarks.house FOLDER` serves until its
standard input ends. The benchmarks' clients then cost it cores, but never its interpreter's lock.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from benchmarks.load import Call, Client, json_call, similar
from lookalike.embedded import TENANT, embedded
from lookalike.sample.catalogue import CATEGORY_FILE, make
from services.gateway.keys import ensure_key
from shared.jobs import FINISHED

PRODUCTS = 300
SEED = 7
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class House:
    url: str
    key: str

    def client(self) -> Client:
        return Client(self.url, self.key)


@dataclass(frozen=True)
class Imported:
    """Seconds from the request until every record was written, and until all of it was searchable."""

    products: int
    pictures: int
    written_s: float
    searchable_s: float


@contextmanager
def house(data: Path) -> Iterator[House]:
    """A running house that may import what lies in `data`; what it holds stays when it ends."""
    command = [sys.executable, "-m", "benchmarks.house", str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101 - asked for above
        line = process.stdout.readline()
        if not line:
            raise SystemExit("The house did not start; its complaint stands above.")
        try:
            yield House(**json.loads(line))
        finally:
            process.stdin.close()


def stock(client: Client, data: Path, products: int = PRODUCTS) -> Imported:
    """Draw the sample catalogue and import it, until all of it is searchable."""
    path = data / "sample.bson"
    make(path, products=products, seed=SEED)
    return bring_in(client, path, path.with_name(CATEGORY_FILE))


def bring_in(client: Client, path: Path, categories: Path | None = None) -> Imported:
    body: dict[str, object] = {"format": "bson", "source": {"path": str(path)}}
    if categories:
        body["categories"] = {"path": str(categories)}
    begun = time.perf_counter()
    import_id = client.json(json_call("POST", "/v1/imports", body))["import_id"]
    until(lambda: _finished(client, import_id), pause=0.02)
    written = time.perf_counter() - begun
    until(lambda: _all_searchable(client), pause=0.02)
    stats = client.json(Call("GET", "/v1/stats"))
    return Imported(stats["products"], stats["images"], written, time.perf_counter() - begun)


def shelved(client: Client) -> list[Call]:
    """Similar products of the first hundred."""
    listed = client.json(Call("GET", "/v1/products?limit=100"))["products"]
    return [similar(one["product_id"]) for one in listed]


def _finished(client: Client, import_id: str) -> bool:
    state = client.json(Call("GET", f"/v1/jobs/{import_id}?wait=1s"))["state"]
    if state in FINISHED and state != "succeeded":
        raise SystemExit(f"The import ended as {state}.")
    return state in FINISHED


def _all_searchable(client: Client) -> bool:
    stats = client.json(Call("GET", "/v1/stats"))
    return not any((*stats["pending"].values(), *stats["images_waiting"].values()))


def until(done: Callable[[], bool], *, pause: float) -> float:
    """Look again and again until it is so; the seconds that it took."""
    begun = time.perf_counter()
    while not done():
        if time.perf_counter() - begun > _PATIENCE_S:
            raise SystemExit(f"Nothing came of it within {_PATIENCE_S:g} s.")
        time.sleep(pause)
    return time.perf_counter() - begun


def serve(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # asyncio does this only for sockets that it opens itself.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with embedded(data / "house", import_roots=(data,)) as found:
            key = ensure_key(found.catalogue, TENANT, "admin", "benchmark")
            config = uvicorn.Config(found.app, log_level="warning", access_log=False)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([listening],))
            thread.start()
            until(lambda: server.started, pause=0.01)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            print(json.dumps({"url": url, "key": key}), flush=True)
            sys.stdin.read()
            server.should_exit = True
            thread.join()


if __name__ == "__main__":
    serve(Path(sys.argv[1]).absolute())
