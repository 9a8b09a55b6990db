"""Lookalike as it runs distributed: every service a process of its own, over real servers."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx

from services.gateway.keys import spelled
from tests.servers.process import Program, Server, free_port, running

SHARDS: Final = 4
GROUPS: Final = 2
ADMIN: Final = spelled("admin", b"the operator's own choice" + b"!" * 7)
_FRESH_SECONDS: Final = 6
_ENV: Final = ["/usr/bin/env"]


@dataclass(frozen=True)
class House:
    """Its processes by name, and two clients of its gateway."""

    processes: Mapping[str, Server]
    programs: Mapping[str, Program]
    admin: httpx.Client
    shopper: httpx.Client

    def restart(self, name: str) -> None:
        """Asked to end, as an operator does it, and started again."""
        self.processes[name].stop()
        self.processes[name].restart()

    @contextmanager
    def doomed(self, name: str, failpoint: str, folder: Path) -> Iterator[Server]:
        """In the place of a process, one that kills itself at a failpoint; then the good one again."""
        good = self.programs[name]
        at = good.command.index(sys.executable)
        fatal = [*good.command[:at], f"LOOKALIKE_FAILPOINT={failpoint}:kill", *good.command[at:]]
        self.processes[name].stop()
        with running(replace(good, command=fatal, answers=lambda _url: None), folder) as victim:
            yield victim
        self.processes[name].restart()


@contextmanager
def house(
    folder: Path,
    settings: Mapping[str, str],
    *,
    search_replicas: int = 1,
    embedder_workers: int = 1,
) -> Iterator[House]:
    """Everything ready, over the servers that the settings name."""
    embedders = ["embedder-worker", *(f"embedder-worker-{n}" for n in range(1, embedder_workers))]
    ports = {name: free_port() for name in ("gateway", "embedder-http")}
    searches = [f"search-{ordinal}" for ordinal in range(GROUPS * search_replicas)]
    ports |= {name: free_port() for name in searches}
    known = {
        **settings,
        "LOOKALIKE_EMBEDDER_URL": _url(ports["embedder-http"]),
        "LOOKALIKE_SEARCH_URLS": ",".join(_url(ports[name]) for name in searches),
        "LOOKALIKE_SEARCH_GROUPS": str(GROUPS),
        "LOOKALIKE_SHARDS": str(SHARDS),
        "LOOKALIKE_GATEWAY_ADMIN_KEY": ADMIN,
    }
    bare = [
        _listening("embedder-http", "services.embedder.serve", ports["embedder-http"]),
        _working("reconciler", "services.indexer.reconcile", folder),
        *(
            _working(name, "services.embedder.worker", folder, "--concurrency", "1")
            for name in embedders
        ),
        _working("indexer-worker", "services.indexer.worker", folder, "--concurrency", "2"),
        *(_listening(name, "services.search.serve", ports[name]) for name in searches),
        _listening("gateway", "services.gateway.serve", ports["gateway"]),
    ]
    programs = {program.name: _told(program, folder, known) for program in bare}
    with ExitStack() as stack:
        processes = _all_at_once(programs, folder, stack)
        admin = stack.enter_context(_client(_url(ports["gateway"]), ADMIN))
        _wait_for_an_index(admin)
        key = admin.post("/v1/keys", json={"kind": "search"}).raise_for_status().json()["key"]
        shopper = stack.enter_context(_client(_url(ports["gateway"]), key))
        yield House(processes, programs, admin, shopper)


def _all_at_once(
    programs: Mapping[str, Program], folder: Path, stack: ExitStack
) -> Mapping[str, Server]:
    """In no order: each of them waits for what it needs."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(programs)) as pool:
        starting = {name: pool.submit(Server, one, folder) for name, one in programs.items()}
    for begun in starting.values():
        if begun.exception() is None:
            stack.callback(begun.result().kill)
    return {name: begun.result() for name, begun in starting.items()}


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _listening(name: str, module: str, port: int) -> Program:
    command = [sys.executable, "-m", module, "--port", str(port)]
    return Program(name=name, version="own", url=_url(port), command=command, answers=_is_live)


def _working(name: str, module: str, folder: Path, *arguments: str) -> Program:
    heartbeat = folder / f"{name}.heartbeat"
    command = [sys.executable, "-m", module, *arguments]
    answers = _beats_since(time.time(), heartbeat)
    return Program(name=name, version="own", url=str(heartbeat), command=command, answers=answers)


def _beats_since(start: float, heartbeat: Path) -> Callable[[str], None]:
    def answers(_url: str) -> None:
        beat = heartbeat.stat().st_mtime
        if beat < start or time.time() - beat > _FRESH_SECONDS:
            raise TimeoutError(f"{heartbeat.name} is not beating")

    return answers


def _told(program: Program, folder: Path, known: Mapping[str, str]) -> Program:
    """The program with its settings, and with none of those that this session runs under."""
    own = {"LOOKALIKE_DATA": str(folder / program.name), "LOOKALIKE_HEARTBEAT": program.url}
    if program.name.startswith("search-"):
        own["LOOKALIKE_SEARCH_ORDINAL"] = program.name.removeprefix("search-")
    hushed = [f"--unset={name}" for name in os.environ if name.startswith("LOOKALIKE_")]
    told = [f"{name}={value}" for name, value in {**known, **own}.items()]
    return replace(program, command=[*_ENV, *hushed, *told, *program.command])


def _is_live(url: str) -> None:
    httpx.get(f"{url}/livez", timeout=2, trust_env=False).raise_for_status()


def _client(url: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)


def _wait_for_an_index(admin: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while admin.get("/v1/backends").status_code != httpx.codes.OK:
        if time.monotonic() > deadline:
            raise TimeoutError("the house has no index after a minute")
        time.sleep(0.1)
