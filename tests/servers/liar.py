"""A server that accepts connections and says whatever a test wants, HTTP or not."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def saying(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Its address; `answer` gets each connection once a request has come, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, answer), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        with suppress(OSError):  # wakes the thread that accepts
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, answer: Callable[[socket.socket], object]) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, answer), daemon=True).start()


def _answer(connection: socket.socket, answer: Callable[[socket.socket], object]) -> None:
    with connection, suppress(OSError):
        while connection.recv(65_536):
            answer(connection)
