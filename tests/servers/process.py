"""A server as a process of its own, which a test may kill, freeze and start again."""

import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).parents[2] / ".servers"
"""Where `make servers` puts what the system has no package for."""

_PATIENCE_SECONDS: Final = 120
_TAIL_LINES: Final = 30

# Below the ports that systems hand out for outgoing connections: one of those could take a killed
# server's port, or, trying to reach it, be connected to itself.
_PORTS: Final = range(20_000, 32_000)

# A leash is on the thread that started a process, not on the whole process: this one stays.
_starter: Final = ThreadPoolExecutor(1, "servers")


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to start a server, and how to see that it is ready."""

    name: str
    version: str | None
    """None where it is not installed."""
    url: str
    command: list[str]
    answers: Callable[[str], object]
    """Asks the server at a URL something, with a short timeout; raises while it is not ready."""


class Server:
    """One running server. Whatever happens to the tests, it does not outlive them (on Linux)."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.name = program.name
        self.version = program.version
        self.url = program.url
        self._command = [*_leash(), *program.command]
        self._answers = program.answers
        self._log = folder / f"{program.name}.log"
        self._process = self._started()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is said to anybody."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and waits until it has ended, which a frozen server never does."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def freeze(self) -> None:
        """It keeps its connections, and answers nothing until it is thawed."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """On the same port and folder; a server that still runs is killed first."""
        self.kill()
        self._process = self._started()

    def refusal(self) -> Exception | None:
        """Why it does not answer a simple question; None where it does."""
        try:
            self._answers(self.url)
        except Exception as error:  # noqa: BLE001 - each client has its own way to say "not yet"
            return error
        return None

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            process = _starter.submit(
                subprocess.Popen,
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ).result()
        try:
            self._wait_until_ready(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            refusal = self.refusal()
            # Only a process that is alive after the answer has given it.
            if process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {process.returncode}:\n{self._tail()}")
            if refusal is None:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{self.name} is not ready after {_PATIENCE_SECONDS} s ({refusal!r}):\n"
                    f"{self._tail()}"
                )
            time.sleep(0.02)

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


@contextmanager
def running(program: Program, folder: Path) -> Iterator[Server]:
    """A ready server until the context is left; a test that needs what is not here skips."""
    if program.version is None:
        pytest.skip(f"no {program.name} on this machine: `make servers` brings it where it can")
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(program, folder)
    try:
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def installed(package: str) -> str | None:
    """Name and version of a package, if the servers' own Python environment has it."""
    found = FOLDER.glob(f"python/lib/python*/site-packages/{package.lower()}-*.dist-info")
    versions = [folder.name.split("-")[1].removesuffix(".dist") for folder in found]
    return f"{package} {versions[0]}" if versions else None


def script(name: str) -> str:
    """A command of the servers' own Python environment."""
    return str(FOLDER / "python" / "bin" / name)


def _leash() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
