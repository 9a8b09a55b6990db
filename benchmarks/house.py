"""The embedded house in a process of its own: `python -m benchmarks.house FOLDER` serves until its
standard input ends, and then says how long each step of its imports took. The benchmarks' clients cost
it cores, but never its interpreter's lock.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from benchmarks.load import Call, Client, json_call, similar
from benchmarks.phases import Timers
from lookalike.embedded import TENANT, Hands, embedded, hands_for
from lookalike.sample.catalogue import CATEGORY_FILE, make
from services.gateway.keys import ensure_key
from shared.jobs import FINISHED
from shared.runtime.arguments import processors

PRODUCTS = 300
SEED = 7
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class House:
    """`threads` are those that it began with, by name; `steps`, in seconds, are there once it has ended."""

    url: str
    key: str
    pid: int = 0
    threads: dict[str, int] = field(default_factory=dict)
    steps: dict[str, tuple[float, float]] = field(default_factory=dict)

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
def house(data: Path, hands: Hands | None = None) -> Iterator[House]:
    """A running house that may import what lies in `data`; what it holds stays when it ends."""
    hands = hands or hands_for(processors())
    asked = [f"--children={hands.children}", f"--threads={hands.threads}"]
    command = [sys.executable, "-m", "benchmarks.house", str(data), *asked]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101 - asked for above
        line = process.stdout.readline()
        if not line:
            raise SystemExit("The house did not start; its complaint stands above.")
        running = House(**json.loads(line))
        try:
            yield running
        finally:
            process.stdin.close()
            running.steps.update(json.loads(process.stdout.readline() or "{}"))


def stock(client: Client, data: Path, products: int = PRODUCTS) -> Imported:
    """Draw the sample catalogue and import it, until all of it is searchable."""
    path = data / "sample.bson"
    make(path, products=products, seed=SEED)
    return bring_in(client, path, path.with_name(CATEGORY_FILE))


def bring_in(
    client: Client, path: Path, categories: Path | None = None, *, within_s: float = _PATIENCE_S
) -> Imported:
    begun = time.perf_counter()
    import_id = begin(client, path, categories)
    until(lambda: finished(client, import_id), pause=0.02, within_s=within_s)
    written = time.perf_counter() - begun
    until(lambda: all_searchable(client), pause=0.02, within_s=within_s)
    stats = client.json(Call("GET", "/v1/stats"))
    return Imported(stats["products"], stats["images"], written, time.perf_counter() - begun)


def begin(client: Client, path: Path, categories: Path | None = None) -> str:
    """Starts an import; its id."""
    body: dict[str, object] = {"format": "bson", "source": {"path": str(path)}}
    if categories:
        body["categories"] = {"path": str(categories)}
    return str(client.json(json_call("POST", "/v1/imports", body))["import_id"])


def cancel(client: Client, import_id: str) -> None:
    """What was brought in stays; an import that has ended is left as it is."""
    if not finished(client, import_id):
        client.ask(Call("POST", f"/v1/imports/{import_id}:cancel"))


def shelved(client: Client) -> list[Call]:
    """Similar products of the first hundred."""
    listed = client.json(Call("GET", "/v1/products?limit=100"))["products"]
    return [similar(one["product_id"]) for one in listed]


def finished(client: Client, import_id: str) -> bool:
    state = client.json(Call("GET", f"/v1/jobs/{import_id}?wait=1s"))["state"]
    if state in FINISHED and state != "succeeded":
        raise SystemExit(f"The import ended as {state}.")
    return state in FINISHED


def all_searchable(client: Client) -> bool:
    stats = client.json(Call("GET", "/v1/stats"))
    return not any((*stats["pending"].values(), *stats["images_waiting"].values()))


def until(done: Callable[[], bool], *, pause: float, within_s: float = _PATIENCE_S) -> float:
    """Look again and again until it is so; the seconds that it took."""
    begun = time.perf_counter()
    while not done():
        if time.perf_counter() - begun > within_s:
            raise SystemExit(f"Nothing came of it within {within_s:g} s.")
        time.sleep(pause)
    return time.perf_counter() - begun


def serve(data: Path, hands: Hands) -> None:
    timers = Timers()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # asyncio does this only for sockets that it opens itself.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with embedded(data / "house", import_roots=(data,), hands=hands) as found:
            key = ensure_key(found.catalogue, TENANT, "admin", "benchmark")
            config = uvicorn.Config(found.app, log_level="warning", access_log=False)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([listening],), name="http")
            thread.start()
            until(lambda: server.started, pause=0.01)
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            begun = {one.name: one.native_id for one in threading.enumerate()}
            ready = {"url": url, "key": key, "pid": os.getpid(), "threads": begun}
            print(json.dumps(ready), flush=True)
            sys.stdin.read()
            server.should_exit = True
            thread.join()
    print(json.dumps(timers.seconds()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    usual = hands_for(processors())
    parser.add_argument("--children", type=int, default=usual.children)
    parser.add_argument("--threads", type=int, default=usual.threads)
    asked = parser.parse_args()
    serve(asked.data.absolute(), Hands(asked.children, asked.threads))
