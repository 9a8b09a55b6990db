"""The demo as a process of its own, for stories that stop it and start it again."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

COMMAND = Path(sys.executable).with_name("lookalike")


@dataclass(frozen=True)
class Demo:
    """A running demo; `admin` and `shopper` ask it with the two keys that it printed."""

    said: dict[str, Any]
    admin: httpx.Client
    shopper: httpx.Client
    process: "subprocess.Popen[str]"


@contextmanager
def demo(data: Path, *, catalogue: str = "none", stop: int = signal.SIGTERM) -> Iterator[Demo]:
    """From its one line of JSON to the end of the process, which has to be a clean one."""
    arguments = ["demo", "--port", "0", "--data", str(data), "--catalogue", catalogue]
    with (data.parent / f"{data.name}.log").open("a") as log:
        process = subprocess.Popen(
            [COMMAND, *arguments, "--no-browser", "--json"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        with process:
            said = json.loads(process.stdout.readline())
            with _client(said, "admin_key") as admin, _client(said, "search_key") as shopper:
                yield Demo(said, admin, shopper, process)
            process.send_signal(stop)
            code = process.wait(timeout=30)
    assert code == (0 if stop == signal.SIGTERM else -stop)


def _client(said: dict[str, Any], key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {said[key]}"}
    return httpx.Client(base_url=said["url"], headers=headers, timeout=60)
