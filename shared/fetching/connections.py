"""Connections to permitted addresses alone, every wait on them bounded by one deadline.

The address is looked up where the connection is made, checked, and connected to as it stands: there
is no second look-up that could answer otherwise. TLS is verified against the name of the URL.
"""

import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

import httpcore

from shared.fetching.addresses import Resolve, addresses_of, is_public
from shared.fetching.permits import Permits, refused

CONNECT_S: Final = 3.0

_until: ContextVar[float] = ContextVar("until")
"""Of the request that this thread is at, by the monotonic clock."""


@contextmanager
def deadline(until: float) -> Iterator[None]:
    """Whatever is connected, sent or read inside ends by then, however slowly it trickles."""
    token = _until.set(until)
    try:
        yield
    finally:
        _until.reset(token)


class Wires(httpcore.NetworkBackend):
    """Connects through `below`, to what `permits` allows."""

    def __init__(self, permits: Permits, resolve: Resolve, below: httpcore.NetworkBackend) -> None:
        self._permits, self._resolve, self._below = permits, resolve, below

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        def connected(address: str) -> httpcore.NetworkStream:
            within_s = _left(timeout)
            stream = self._below.connect_tcp(address, port, within_s, local_address, socket_options)
            return _Bounded(stream)

        *others, last = self._checked(host, port, _left(timeout))
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return connected(address)
        return connected(last)

    def _checked(self, host: str, port: int, within_s: float) -> Sequence[str]:
        """One address that is not public condemns them all: such a name serves no honest purpose."""
        found = addresses_of(host, port, self._resolve, within_s)
        if not self._permits.is_private(host, port):
            for address in found:
                if not is_public(address):
                    raise refused(f"{host} is at {address}, which is no public address.")
        return found


class _Bounded(httpcore.NetworkStream):
    """A stream that gives up at the deadline, not only after a silence."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float:
    """A wait that is allowed, cut short by the deadline."""
    left = _until.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return left if timeout is None else min(left, timeout)
