"""A network between a client and a server that can be slow, cut, or silent."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_PIECE_BYTES: Final = 64 * 1024
_RESET: Final = struct.pack("ii", 1, 0)
"""Lingering for no time: closing tells the other side that the connection broke."""


class Proxy:
    """Passes bytes on, unless told otherwise; `url` is the server's, by way of here."""

    def __init__(self, target: str, loop: asyncio.AbstractEventLoop) -> None:
        parts = urlsplit(target)
        self._host, self._port = str(parts.hostname), int(parts.port or 0)
        self._loop = loop
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._seconds = 0.0
        self._server = self._run(asyncio.start_server(self._connected, "127.0.0.1", 0))
        port = self._server.sockets[0].getsockname()[1]
        self.url = target.replace(f"{self._host}:{self._port}", f"127.0.0.1:{port}")

    def delay(self, seconds: float) -> None:
        """Holds every piece back for so long, in either direction."""
        self._seconds = seconds

    def cut(self) -> None:
        """Breaks what is connected, and whatever connects until it is healed."""
        self._refusing = True
        self._call(self._reset_all)

    def black_hole(self) -> None:
        """Takes connections and bytes, and gives nothing back; healed, it delivers them late."""
        self._call(self._flowing.clear)

    def heal(self) -> None:
        self._refusing, self._seconds = False, 0.0
        self._call(self._flowing.set)

    def close(self) -> None:
        self._call(self._server.close)
        self._call(self._reset_all)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if self._refusing:
            self._reset(writer)
            return
        try:
            there, back = await asyncio.open_connection(self._host, self._port)
        except OSError:
            self._reset(writer)
            return
        self._writers.add(back)
        with suppress(asyncio.CancelledError):  # the proxy is closed
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        self._writers -= {writer, back}

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(_PIECE_BYTES):
                await asyncio.sleep(self._seconds)
                await self._flowing.wait()
                sink.write(piece)
                await sink.drain()
        sink.close()

    def _reset_all(self) -> None:
        for writer in list(self._writers):
            self._reset(writer)

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        with suppress(OSError):
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()

    def _call(self, function: Callable[[], object]) -> None:
        async def called() -> None:
            function()

        self._run(called())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """Between whoever uses the proxy's `url` and the server at this one, `scheme://host:port…`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()
    proxy = Proxy(url, loop)
    try:
        yield proxy
    finally:
        proxy.close()
        asyncio.run_coroutine_threadsafe(_cancelled(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancelled() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
