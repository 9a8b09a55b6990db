"""Web servers that do as a test says, over TLS with an authority of their own, and wires to them."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore

from services.embedder.canary import CANARY
from shared.fetching.fetcher import Fetcher

PICTURE = CANARY
PUBLIC, OTHER = "93.184.215.14", "151.101.1.1"
"""Addresses as anybody may have them; wires lead to a server of the test instead."""
HOST = "pictures.example.com"
URL = f"https://{HOST}/a.png"


class Handler(BaseHTTPRequestHandler):
    """Answers a path as its page says."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append((time.monotonic(), self.path, dict(self.headers.items())))
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            self.say(404, b"no", {"Content-Type": "text/plain"})
        else:
            page(self)

    def say(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


Page = Callable[[Handler], None]


def picture(request: Handler) -> None:
    request.say(200, PICTURE, {"Content-Type": "image/png"})


def leads_to(url: str, status: int = 302) -> Page:
    return lambda request: request.say(status, headers={"Location": url})


def saying(status: int, body: bytes = b"", **headers: str) -> Page:
    """A page with these headers; underscores stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.say(status, body, named)


def trickle(*, head: bool) -> Page:
    """A byte every 20 ms: never a silence long enough for a timeout on reading."""

    def dripping(request: Handler) -> None:
        if head:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        else:
            request.send_response(200)
            request.send_header("Content-Length", "100000")
            request.end_headers()
        over = threading.Event()
        while not over.wait(0.02):
            request.wfile.write(b"a")
            request.wfile.flush()

    return dripping


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    pages: dict[str, Page]
    asked: list[tuple[float, str, dict[str, str]]]

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages, self.asked = {"/a.png": picture}, []
        if context is not None:
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def door(self) -> str:
        return f"127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what some tests are about."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server(context) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@dataclass
class Wires(httpcore.NetworkBackend):
    """Leads public addresses to servers of the test; every connection is written down."""

    ends: dict[str, int] = field(default_factory=dict)
    made: list[tuple[str, int]] = field(default_factory=list)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - the port's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self.made.append((host, port))
        if host not in self.ends:
            raise httpcore.ConnectError(ConnectionRefusedError("nobody is there"))
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.ends[host], timeout)


@dataclass
class Names:
    """A resolver that answers from a list a name, the last answer for ever."""

    said: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _: int) -> list[str]:
        self.asked.append(host)
        answers = self.said.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@dataclass(frozen=True)
class Authority:
    """Signs certificates for names; trusted by nobody but these tests."""

    folder: Path

    def made(self) -> "Authority":
        self._run("req", "-x509", *self._new("ca"), "-subj", "/CN=test authority", "-days", "2")
        return self

    def server(self, name: str) -> ssl.SSLContext:
        path = self.folder / f"{name}.ext"
        path.write_text(f"subjectAltName=DNS:{name}\n")
        self._run("req", *self._new(name), "-subj", f"/CN={name}")
        self._run(
            *("x509", "-req", "-in", f"{name}.pem", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-days", "2", "-extfile", str(path), "-out", f"{name}.crt"),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        return context

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "ca.pem")

    def _new(self, name: str) -> tuple[str, ...]:
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        return (*kind, "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=30
        )


@dataclass
class Web:
    """A web of one's own: servers, names and wires."""

    authority: Authority
    opened: ExitStack
    wires: Wires = field(default_factory=Wires)
    names: Names = field(default_factory=Names)

    def server(self, context: ssl.SSLContext | None = None) -> Server:
        return self.opened.enter_context(serving(context))

    def site(self, name: str = HOST, address: str = PUBLIC) -> Server:
        """A site on the public internet, as far as the fetcher can see, at port 443."""
        server = self.server(self.authority.server(name))
        self.names.said[name] = [[address]]
        self.wires.ends[address] = server.port
        return server

    def fetcher(self, hosts: Iterable[str] = (HOST,)) -> Fetcher:
        fetcher = Fetcher(
            hosts, resolve=self.names, below=self.wires, trust=self.authority.trust(), gap_s=0.0
        )
        return self.opened.enter_context(fetcher)

    def inside(self, server: Server, *, gap_s: float = 0.0, connections: int = 4) -> Fetcher:
        """A fetcher for one plain server of the own network."""
        return self.opened.enter_context(
            Fetcher((), (server.door,), gap_s=gap_s, connections=connections)
        )
