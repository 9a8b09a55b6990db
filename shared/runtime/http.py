"""An HTTP process: listens, says where, answers until it is told to stop, and finishes what it began."""

import logging
import signal
import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

GRACE_S: Final = 20
_log: Final = logging.getLogger(__name__)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Until SIGTERM or SIGINT; port 0 takes a free one, and the log names it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn hands the signal on when it is done; by then there is nothing left to do about it.
        signal.signal(number, lambda *_: None)
    with listening(host, port) as sock:
        _log.info("listening at http://%s:%d", host, sock.getsockname()[1])
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        uvicorn.Server(config).run([sock])


def listening(host: str, port: int) -> socket.socket:
    """A bound socket whose answers leave at once: asyncio sees to that only for its own sockets."""
    sock = socket.create_server((host, port), backlog=1024)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
