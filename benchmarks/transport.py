"""How a gateway should talk to search processes: five ways side by side against the same ones.

    python -m benchmarks.transport [--groups 4] [--rows 20000] [--queries 300] [--quick]

Every search process holds one shard and answers HTTP (uvicorn), and frames over TCP (a thread a
connection). A way sends one search to all of them and has all answers; JSON is made and read in
the last two lines of the table only, which are whole searches: near, and over the chosen way.
"""

import asyncio
import multiprocessing
import socket
import socketserver
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import aiohttp
import httpx

from benchmarks.claims import Claim, at_least, at_most, options, spread, tell
from benchmarks.search import SPACES, entry, pictures
from services.search.app import create_app
from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.hits import SearchRequest
from shared.index.entries import place
from shared.index.manifest import Manifest
from shared.index.segment import accelerate, store, write
from shared.indexes import Index
from shared.products import bucket_of, shard_of
from shared.runtime.http import serve
from shared.seams import wire
from shared.seams.http.exchange import Call
from shared.seams.http.processes import Group, Process
from shared.seams.http.race import race
from shared.seams.http.replies import read_by
from shared.seams.remote_searcher import RemoteSearcher

Address = tuple[str, int]
Ask = Callable[[bytes], object]
"""One message to every process, and all of their answers."""
LENGTH = struct.Struct("<I")
PATIENCE_S = 5.0


def built(folder: Path, shards: int, rows: int) -> None:
    """An index of one segment a shard, with graphs."""
    with SqliteCatalogue(folder / "catalogue.db") as catalogue:
        blobs = FsspecBlobs(f"file://{folder}/blobs")
        catalogue.indexes.create(
            Index("i", "t", "m", SPACES, shards, ("segments",), (), "ready", 0)
        )
        entries = [entry(n, vector) for n, vector in enumerate(pictures(rows, seed=2))]
        for shard in range(shards):
            mine = [e for e in entries if shard_of(bucket_of("t", e.product_id), shards) == shard]
            files = write(sorted(mine, key=place), SPACES, (), folder, f"s{shard}")
            segment = store(accelerate(files), blobs, "t", "i", shard)
            key = keys.manifest("t", "i", shard, 1)
            blobs.put(key, Manifest("i", shard, 1, 1, SPACES, (), (segment,)).to_json())
            catalogue.indexes.swap("i", shard, expected=0, manifest=key, as_of=1)


@contextmanager
def held(folder: Path, group: int, groups: int) -> Iterator[tuple[LocalSearcher, Shards]]:
    with SqliteCatalogue(folder / "catalogue.db") as catalogue:
        blobs = FsspecBlobs(f"file://{folder}/blobs")
        with closing(Shards(catalogue, blobs, replica=f"{group}", group=group, groups=groups)) as s:
            s.refresh()
            with closing(LocalSearcher(s, annoy=False)) as searcher:
                yield searcher, s


def process(folder: Path, group: int, groups: int, told: Connection) -> None:
    """Tells both of its ports, then answers until it is ended."""
    with held(folder, group, groups) as (searcher, shards), frames_server(searcher) as frames_port:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        told.send((port, frames_port))
        serve(create_app(searcher, shards), "127.0.0.1", port)


@contextmanager
def frames_server(searcher: LocalSearcher) -> Iterator[int]:
    class Answering(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while head := self.rfile.read(LENGTH.size):
                request = wire.request_from_json(self.rfile.read(*LENGTH.unpack(head)))
                answer = wire.answer_to_json(searcher.search(request))
                self.request.sendall(LENGTH.pack(len(answer)) + answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]


@contextmanager
def processes(folder: Path, groups: int) -> Iterator[list[tuple[int, int]]]:
    """(HTTP port, frames port) of each."""
    spawn = multiprocessing.get_context("spawn")
    pipes = [spawn.Pipe() for _ in range(groups)]
    started = [
        spawn.Process(target=process, args=(folder, group, groups, theirs), daemon=True)
        for group, (_, theirs) in enumerate(pipes)
    ]
    for one in started:
        one.start()
    try:
        ports = [cast("tuple[int, int]", ours.recv()) for ours, _ in pipes]
        for port, _ in ports:
            _wait_for(port)
        yield ports
    finally:
        for one in started:
            one.kill()
            one.join()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise


@contextmanager
def httpx_in_threads(urls: Sequence[str]) -> Iterator[Ask]:
    with ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=url)) for url in urls]
        pool = stack.enter_context(ThreadPoolExecutor(8 * len(urls)))

        def ask(body: bytes) -> object:
            asked = [pool.submit(client.post, wire.SEARCH, content=body) for client in clients]
            return [one.result().raise_for_status().content for one in asked]

        yield ask


@contextmanager
def http_client(urls: Sequence[str]) -> Iterator[Ask]:
    """Sends to all, then reads one after the other: simple, but nothing bounds a slow body."""
    local = threading.local()

    def connections() -> list[HTTPConnection]:
        if not hasattr(local, "found"):
            local.found = [HTTPConnection(url.removeprefix("http://")) for url in urls]
        return cast("list[HTTPConnection]", local.found)

    def ask(body: bytes) -> object:
        for connection in connections():
            connection.request("POST", wire.SEARCH, body, {"Content-Type": "application/json"})
        return [connection.getresponse().read() for connection in connections()]

    yield ask


@contextmanager
def aiohttp_in_a_loop(urls: Sequence[str]) -> Iterator[Ask]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def opened() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    session = asyncio.run_coroutine_threadsafe(opened(), loop).result()

    async def one(url: str, body: bytes) -> bytes:
        async with session.post(url + wire.SEARCH, data=body) as answer:
            return await answer.read()

    async def everyone(body: bytes) -> list[bytes]:
        return await asyncio.gather(*(one(url, body) for url in urls))

    yield lambda body: asyncio.run_coroutine_threadsafe(everyone(body), loop).result()
    asyncio.run_coroutine_threadsafe(session.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@contextmanager
def frames(ports: Sequence[int]) -> Iterator[Ask]:
    local = threading.local()

    def connections() -> list[Any]:
        if not hasattr(local, "found"):
            local.found = [_stream(port) for port in ports]
        return cast("list[Any]", local.found)

    def ask(body: bytes) -> object:
        for stream in connections():
            stream.write(LENGTH.pack(len(body)) + body)
            stream.flush()
        return [s.read(*LENGTH.unpack(s.read(LENGTH.size))) for s in connections()]

    yield ask


def _stream(port: int) -> Any:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection.makefile("rwb")


@contextmanager
def our_race(urls: Sequence[str]) -> Iterator[Ask]:
    groups = [Group([Process(url, url)]) for url in urls]
    read = read_by(bytes)

    def ask(body: bytes) -> object:
        call = Call("POST", wire.SEARCH, body)
        told = race(call, [g.in_order() for g in groups], read, time.monotonic() + PATIENCE_S)
        for one in told:
            if isinstance(one, Exception):
                raise one
        return told

    yield ask


def measured(
    ways: dict[str, Callable[[SearchRequest], object]], requests: Sequence[SearchRequest]
) -> dict[str, dict[str, float]]:
    """Every way for every request in turn, so that a slow moment falls on all of them.

    `cpu_ms` is the caller's own work, all of its threads together: other load hardly moves it.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    work = dict.fromkeys(ways, 0.0)
    for request in requests:
        for name, ask in ways.items():
            begun, worked = time.perf_counter(), time.process_time()
            ask(request)
            times[name].append(time.perf_counter() - begun)
            work[name] += time.process_time() - worked
    return {
        name: spread(taken) | {"cpu_ms": round(1_000 * work[name] / len(taken), 3)}
        for name, taken in times.items()
    }


def pace(ask: Callable[[SearchRequest], object], requests: Sequence[SearchRequest]) -> float:
    """Searches a second from eight threads."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, requests))
    return round(len(requests) / (time.perf_counter() - begun), 1)


def claims(found: dict[str, dict[str, float]]) -> list[Claim]:
    def against(name: str, figure: str) -> float:
        return found[name][figure] / found["race"][figure]

    return [
        at_least("httpx in threads against race, p50", against("httpx", "p50_ms"), 1.0, "times"),
        at_least("httpx in threads against race, work", against("httpx", "cpu_ms"), 2.0, "times"),
        at_least("aiohttp in a loop against race, p50", against("aiohttp", "p50_ms"), 1.0, "times"),
        at_least(
            "aiohttp in a loop against race, work", against("aiohttp", "cpu_ms"), 1.5, "times"
        ),
        at_least("http.client against race, work", against("http.client", "cpu_ms"), 0.7, "times"),
        at_most("a search over the processes, p50", found["remote"]["p50_ms"], 12.0, "ms"),
    ]


def compared(folder: Path, groups: int, requests: Sequence[SearchRequest]) -> dict[str, Any]:
    with ExitStack() as stack:
        ports = stack.enter_context(processes(folder, groups))
        urls = [f"http://127.0.0.1:{port}" for port, _ in ports]
        bare: dict[str, Ask] = {
            "httpx": stack.enter_context(httpx_in_threads(urls)),
            "http.client": stack.enter_context(http_client(urls)),
            "aiohttp": stack.enter_context(aiohttp_in_a_loop(urls)),
            "frames": stack.enter_context(frames([port for _, port in ports])),
            "race": stack.enter_context(our_race(urls)),
        }
        spelled = {id(request): wire.request_to_json(request) for request in requests}
        ways: dict[str, Callable[[SearchRequest], object]] = {
            name: lambda request, ask=ask: ask(spelled[id(request)])  # type: ignore[misc] # bound early
            for name, ask in bare.items()
        }
        ways["near"] = stack.enter_context(held(folder, 0, 1))[0].search
        ways["remote"] = stack.enter_context(closing(RemoteSearcher(urls, groups))).search
        measured(ways, requests[:20])
        found = measured(ways, requests)
        return {
            name: one | {"eight_threads_per_second": pace(ways[name], requests)}
            for name, one in found.items()
        }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=300)
    asked = parser.parse_args()
    rows, queries = (2_000, 20) if asked.quick else (asked.rows, asked.queries)
    base = SearchRequest("t", "i", SPACES.fingerprint, limit=38, deadline_ms=5_000)
    requests = [
        replace(base, vector=vector.astype("<f4").tobytes()) for vector in pictures(queries, seed=3)
    ]
    with tempfile.TemporaryDirectory() as folder:
        built(Path(folder), asked.groups, rows)
        found = compared(Path(folder), asked.groups, requests)
    tell("transport", claims(found), {"rows": rows, "groups": asked.groups, "ways": found})


if __name__ == "__main__":
    main()
