"""`lookalike doctor`: whether everything here and there is well."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lookalike.command.connection import HERE, Key, Server, connected
from lookalike.command.faults import FAILED
from lookalike.command.output import Json, say_json, say_table

if TYPE_CHECKING:
    from lookalike.client import Lookalike
    from lookalike.client.answers import Backend

_ROOM_GIB = 2.0
_PARTS = ("fastapi", "numpy", "cv2", "simplejpeg", "ai_edge_litert", "faiss", "pyarrow", "bson")


@dataclass(frozen=True, slots=True)
class Finding:
    """`good` is None for what is merely said."""

    what: str
    good: bool | None
    detail: str


def doctor(server: Server = HERE, key: Key = "", as_json: Json = False) -> None:
    """Looks at this machine and at the server; exit 1 when something is wrong."""
    with connected(server, key) as shop:
        findings = [*_machine(), *_server(shop)]
    if as_json:
        say_json(findings)
    else:
        marks = {True: "good", False: "WRONG", None: "-"}
        say_table(("what", "", "why"), [(f.what, marks[f.good], f.detail) for f in findings])
    if any(finding.good is False for finding in findings):
        raise typer.Exit(FAILED)


def _machine() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", sys.version_info >= (3, 11), f"{version}; 3.11 or later is needed")
    absent = [name for name in _PARTS if find_spec(name) is None]
    said = f"not here: {', '.join(absent)}" if absent else "all services can run here"
    yield Finding("libraries", None if absent else True, said)
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield Finding("disk", free >= _ROOM_GIB, f"{free:.1f} GiB free; {_ROOM_GIB:g} are wanted")


def _server(shop: "Lookalike") -> Iterator[Finding]:
    from lookalike.client import Forbidden, RequestFailed  # noqa: PLC0415 - httpx is slow to load

    try:
        yield Finding("server", True, shop.ready().status)
        backends = shop.backends().backends
        yield Finding("key", True, "known there")
        yield from (_backend(backend) for backend in backends)
        stats = shop.stats()
        yield Finding("catalogue", True, f"{stats.products} products, {stats.images} pictures")
    except Forbidden as error:
        yield Finding("admin", None, str(error))
    except RequestFailed as error:
        yield Finding("server or key", False, str(error))


def _backend(backend: "Backend") -> Finding:
    if not backend.configured:
        return Finding(backend.name, None, backend.reason or "not configured")
    behind = f"{backend.pending} products wait for it"
    return Finding(backend.name, backend.healthy, backend.reason or behind)
