"""A process that decodes and embeds for its parent: `python -m services.embedder.child FD MODEL`.

It lives as long as the other end of the socket FD is open, and ignores SIGINT: that is its
parent's to handle.
"""

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import cv2

from services.embedder.inprocess import InProcessEmbedder
from shared.errors import LookalikeError
from shared.images import Crop
from shared.seams.frames import (
    read_frame,
    read_json,
    spaces_to_json,
    write_json,
    write_result,
)


def serve(stream: BinaryIO, model: Path) -> None:
    """Says which spaces it gives, or why it gives none; then answers until the parent is gone."""
    try:
        with _quiet():
            embedder = InProcessEmbedder(model)
    except LookalikeError as error:
        write_json(stream, {"error": error.detail, "code": error.kind})
        stream.flush()
        return
    write_json(stream, {"spaces": spaces_to_json(embedder.spaces)})
    stream.flush()
    while True:
        _answer(stream, embedder)


@contextmanager
def _quiet() -> Iterator[None]:
    """The runtime greets on standard error as it loads; nobody asked."""
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _answer(stream: BinaryIO, embedder: InProcessEmbedder) -> None:
    head = read_json(stream)
    crop = Crop(**head["crop"]) if head["crop"] else None
    for _ in range(head["count"]):
        picture = read_frame(stream)
        (result,) = embedder.embed([picture], crop=crop, thumbnails=head["thumbnails"])
        write_result(stream, result)
        stream.flush()


def _die_with_parent(connection: socket.socket) -> None:
    """Waits in a thread for the socket to close: also a child that hangs in a picture goes then."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    poll.poll()
    os._exit(0)


def main(descriptor: int, model: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)  # parallel work comes from several children
    connection = socket.socket(fileno=descriptor)
    threading.Thread(target=_die_with_parent, args=(connection,), daemon=True).start()
    try:
        serve(cast("BinaryIO", connection.makefile("rwb")), model)
    except (EOFError, OSError):
        os._exit(0)  # the parent is gone: nobody is left to tell


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
