"""ASGI applications of ours behind a real server, on free ports of this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from shared.runtime.http import listening


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """The address under which the application answers until the context is left."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with listening("127.0.0.1", port) as sock:
        thread = threading.Thread(target=server.run, args=([sock],), name="application")
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
