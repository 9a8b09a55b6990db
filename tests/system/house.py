"""Lookalike as it runs distributed: every service a process of its own, over real servers."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from services.gateway.keys import spelled
from tests.servers.process import Program, Server, free_port, running

SHARDS: Final = 4
GROUPS: Final = 2
ADMIN: Final = spelled("admin", b"the operator's own choice" + b"!" * 7)
_FRESH_SECONDS: Final = 6


@dataclass(frozen=True)
class House:
    """Its processes by name, and two clients of its gateway."""

    processes: Mapping[str, Server]
    admin: httpx.Client
    shopper: httpx.Client

    def restart(self, name: str) -> None:
        """Asked to end, as an operator does it, and started again."""
        self.processes[name].stop()
        self.processes[name].restart()


@contextmanager
def house(
    folder: Path, settings: Mapping[str, str], *, search_replicas: int = 1
) -> Iterator[House]:
    """Everything ready, over the servers that the settings name."""
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
    programs = [
        _listening("embedder-http", "services.embedder.serve", ports["embedder-http"]),
        _working("reconciler", "services.indexer.reconcile", folder),
        _working("embedder-worker", "services.embedder.worker", folder, "--concurrency", "1"),
        _working("indexer-worker", "services.indexer.worker", folder, "--concurrency", "2"),
        *(_listening(name, "services.search.serve", ports[name]) for name in searches),
        _listening("gateway", "services.gateway.serve", ports["gateway"]),
    ]
    with ExitStack() as stack:
        processes = {
            program.name: stack.enter_context(_started(program, folder, known))
            for program in programs
        }
        admin = stack.enter_context(_client(_url(ports["gateway"]), ADMIN))
        _wait_for_an_index(admin)
        key = admin.post("/v1/keys", json={"kind": "search"}).raise_for_status().json()["key"]
        shopper = stack.enter_context(_client(_url(ports["gateway"]), key))
        yield House(processes, admin, shopper)


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


@contextmanager
def _started(program: Program, folder: Path, known: Mapping[str, str]) -> Iterator[Server]:
    own = {
        "LOOKALIKE_DATA": str(folder / program.name),
        "LOOKALIKE_HEARTBEAT": program.url,
        "LOOKALIKE_SEARCH_ORDINAL": program.name.rpartition("-")[2],
    }
    if not program.name.startswith("search-"):
        del own["LOOKALIKE_SEARCH_ORDINAL"]
    told = [f"{name}={value}" for name, value in {**known, **own}.items()]
    env = shutil.which("env") or "env"
    # What this session is told by its environment is not said to the house.
    hushed = [f"--unset={name}" for name in os.environ if name.startswith("LOOKALIKE_")]
    command = [env, *hushed, *told, *program.command]
    started = Program(
        name=program.name,
        version=program.version,
        url=program.url,
        command=command,
        answers=program.answers,
    )
    with running(started, folder) as server:
        yield server


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
