"""One HTTP/1.1 request and its reply on a socket that never waits: sent and read as far as it goes.

Both ends are ours, so a reply says its length. Chunked replies, redirects and TLS are not spoken.
"""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from typing import Final

CONNECT_S: Final = 3.0
MAX_HEAD: Final = 32_768
MAX_BODY: Final = 256 << 20
_CHUNK: Final = 262_144
_END_OF_HEAD: Final = b"\r\n\r\n"


class Garbled(OSError):
    """What came is no reply that can be read; the connection is worth nothing any more."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a process, whichever it turns out to be."""

    method: str
    path: str
    body: bytes = b""
    media_type: str = "application/json"

    def spelled(self, host: str, prefix: str, headers: Mapping[str, str]) -> bytes:
        """As it goes over the wire, with headers that change from one process to the next."""
        sent = {
            "host": host,
            "content-type": self.media_type,
            "content-length": str(len(self.body)),
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        head = f"{self.method} {prefix}{self.path} HTTP/1.1\r\n{lines}\r\n"
        return head.encode("latin-1") + self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """`lasting`: whether the connection may be used again."""

    status: int
    body: bytes
    lasting: bool


class Exchange:
    """Goes on whenever its socket is ready for what it `wants`, until there is a reply."""

    def __init__(self, sock: socket.socket, message: bytes, *, reused: bool) -> None:
        self.sock = sock
        self._reused = reused
        self._rest = memoryview(message)
        self._came = bytearray()
        self._body_at = self._length = self._status = 0
        self._lasting = False
        self.connect_by = time.monotonic() + CONNECT_S
        """Until then a first byte must have been sent."""

    @property
    def wants(self) -> int:
        return EVENT_WRITE if self._rest else EVENT_READ

    @property
    def stale(self) -> bool:
        """Whether the other side may have closed the connection before it saw the request."""
        return self._reused and not self._came

    def go_on(self) -> Reply | None:
        """As far as it goes at this moment; raises OSError when the other side is gone."""
        try:
            if self._rest:
                self._rest = self._rest[self.sock.send(self._rest) :]
                self.connect_by = inf
                return None
            data = self.sock.recv(_CHUNK)
        except BlockingIOError:
            return None
        if not data:
            raise ConnectionResetError("it closed the connection before its reply was whole")
        self._came += data
        return self._reply()

    def _reply(self) -> Reply | None:
        if not self._body_at and not self._read_head():
            return None
        end = self._body_at + self._length
        if len(self._came) < end:
            return None
        lasting = self._lasting and len(self._came) == end
        return Reply(self._status, bytes(self._came[self._body_at : end]), lasting)

    def _read_head(self) -> bool:
        end = self._came.find(_END_OF_HEAD)
        if end < 0:
            if len(self._came) > MAX_HEAD:
                raise Garbled("its reply has no end of head")
            return False
        try:
            self._status, headers = _head(bytes(self._came[:end]))
            self._length = int(headers[b"content-length"])
        except (ValueError, IndexError, KeyError) as error:
            raise Garbled("its reply is no HTTP with a length") from error
        if not 0 <= self._length <= MAX_BODY:
            raise Garbled(f"its reply announces {self._length:,} bytes")
        self._body_at = end + len(_END_OF_HEAD)
        self._lasting = headers.get(b"connection", b"").lower() != b"close"
        return True


def _head(data: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *lines = data.split(b"\r\n")
    version, status = first.split(b" ", 2)[:2]
    if version != b"HTTP/1.1":
        raise ValueError(version)
    pairs = (line.partition(b":") for line in lines)
    return int(status), {name.strip().lower(): value.strip() for name, _, value in pairs}
