"""A real gateway over everything real, served on a free port; a small sample lies ready."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from lookalike.embedded import TENANT, Embedded, embedded
from lookalike.sample.catalogue import CATEGORY_FILE, make, pictures
from lookalike.sample.inventing import invent
from services.gateway.keys import ensure_key

SEED = 7
PRODUCTS = 12


@dataclass(frozen=True, slots=True)
class House:
    """`sample` is a catalogue of `products` that nobody has imported yet."""

    url: str
    admin_key: str
    search_key: str
    sample: Path
    categories: Path
    products: int


@contextmanager
def running_house(folder: Path) -> Iterator[House]:
    sample = folder / "sample.bson"
    make(sample, products=PRODUCTS, seed=SEED)
    with embedded(folder / "data") as inside, served(inside) as url:
        yield House(
            url=url,
            admin_key=ensure_key(inside.catalogue, TENANT, "admin", "test"),
            search_key=ensure_key(inside.catalogue, TENANT, "search", "test"),
            sample=sample,
            categories=sample.with_name(CATEGORY_FILE),
            products=PRODUCTS,
        )


def taken_photos(folder: Path) -> list[Path]:
    """Pictures of different things, none of them in the sample."""
    photos = [folder / f"{number}.jpg" for number in range(3)]
    for number, photo in enumerate(photos):
        photo.write_bytes(pictures(invent(SEED + 1, number))[0])
    return photos


@contextmanager
def served(inside: Embedded) -> Iterator[str]:
    """On a free port; the URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    # inherited by every connection: answers of two packets would wait for an acknowledgement
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(
        uvicorn.Config(inside.app, log_level="warning", timeout_graceful_shutdown=3)
    )
    thread = threading.Thread(target=server.run, args=([listening],))
    with listening:
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
