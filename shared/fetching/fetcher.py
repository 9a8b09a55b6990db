"""Pictures by URL, one or many."""

import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import Final, Self

import httpcore
import httpx

from shared.errors import LookalikeError, Unavailable
from shared.fetching.addresses import Resolve, resolved
from shared.fetching.answers import Busy, picture_or_url, told
from shared.fetching.connections import CONNECT_S, Wires, deadline
from shared.fetching.permits import Permits, Target, refused
from shared.fetching.politeness import NoTurn, Politeness
from shared.images import MAX_PICTURE_BYTES

READ_S: Final = 10.0
WHOLE_S: Final = 20.0
MAX_REDIRECTS: Final = 3
MAX_TOGETHER: Final = 16 * MAX_PICTURE_BYTES
_THREADS: Final = 16
_BACKOFF_S: Final = 0.5
_HEADERS: Final[Mapping[bytes | str, bytes | str]] = {
    "Accept": "image/webp, image/png, image/jpeg, image/*;q=0.5",
    "Accept-Encoding": "identity",
    "User-Agent": "Lookalike (fetches the pictures of a product catalogue)",
}


class Fetcher:
    """Used by any number of threads; without hosts it refuses everything.

    `allowed_hosts` and `allowed_private` as in `Permits`. No proxies, cookies or credentials. A host
    that is busy or broken is asked once more, after the time it asks for, if that is within budget.
    """

    def __init__(
        self,
        allowed_hosts: Iterable[str] = (),
        allowed_private: Iterable[str] = (),
        *,
        connections: int = 4,
        gap_s: float = 0.05,
        resolve: Resolve = resolved,
        below: httpcore.NetworkBackend | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._permits = Permits(tuple(allowed_hosts), tuple(allowed_private))
        self._politeness = Politeness(connections, gap_s)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust or httpcore.default_ssl_context(),
            max_connections=None,
            max_keepalive_connections=_THREADS,
            keepalive_expiry=READ_S / 2,
            network_backend=Wires(self._permits, resolve, below or httpcore.SyncBackend()),
        )

    def fetch(self, url: str, within_s: float = WHOLE_S) -> bytes:
        """A picture that `sniff` takes.

        Raises `Invalid` (`fetch_refused`: it may not be asked, `fetch_failed`: there is no picture,
        and what `sniff` says) or `Unavailable` (`fetch_unavailable`: it may work later).
        """
        until = time.monotonic() + within_s
        try:
            return self._followed(url, until)
        except Unavailable as first:
            try:
                return self._followed(url, until)
            except NoTurn:
                raise first from None

    def fetch_many(
        self, urls: Iterable[str], within_s: float, max_bytes: int = MAX_TOGETHER
    ) -> dict[str, bytes | LookalikeError]:
        """What became of each; all at once, and over within the time given."""
        until, room = time.monotonic() + within_s, _Room(max_bytes)
        found, lines = self._by_host(urls)

        def drain(waiting: deque[str]) -> None:
            with suppress(IndexError):  # another thread was faster
                while waiting:
                    url = waiting.popleft()
                    found[url] = self._outcome(url, until - time.monotonic(), room)

        # As many threads for a host as it answers at once: a slow one holds up no other.
        each = self._politeness.connections
        shares = [line for line in lines for _ in range(min(each, len(line)))]
        with ThreadPoolExecutor(_THREADS, "fetch") as threads:
            list(threads.map(drain, shares))
        return found

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _outcome(self, url: str, within_s: float, room: "_Room") -> bytes | LookalikeError:
        try:
            room.check()
            data = self.fetch(url, within_s)
        except LookalikeError as error:
            return error
        room.take(len(data))
        return data

    def _followed(self, url: str, until: float) -> bytes:
        target = first = self._permits.target(url)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._asked(target, until)
            if isinstance(answer, bytes):
                return answer
            target = self._permits.target(_joined(target, answer))
        raise refused(f"{first.shown} leads on more than {MAX_REDIRECTS} times.")

    def _asked(self, target: Target, until: float) -> bytes | str:
        with self._politeness.turn(target.host, until):
            end = min(until, time.monotonic() + WHOLE_S)
            try:
                with deadline(end), told(target), self._answer(target) as response:
                    return picture_or_url(target, response)
            except Busy as busy:
                rest_s = _BACKOFF_S if busy.after_s is None else busy.after_s
                self._politeness.rest(target.host, rest_s)
                raise

    def _answer(self, target: Target) -> AbstractContextManager[httpcore.Response]:
        return self._pool.stream(
            "GET",
            httpcore.URL(
                scheme=target.url.raw_scheme,
                host=target.host.encode("ascii"),
                port=target.port,
                target=target.url.raw_path,
            ),
            headers=_HEADERS,
            extensions={"timeout": {"connect": CONNECT_S, "read": READ_S, "write": READ_S}},
        )

    def _by_host(
        self, urls: Iterable[str]
    ) -> tuple[dict[str, bytes | LookalikeError], list[deque[str]]]:
        """What is refused at once, and the rest in a line for each host."""
        refusals: dict[str, bytes | LookalikeError] = {}
        lines: defaultdict[str, deque[str]] = defaultdict(deque)
        for url in dict.fromkeys(urls):
            try:
                lines[self._permits.target(url).host].append(url)
            except LookalikeError as error:
                refusals[url] = error
        return refusals, list(lines.values())


class _Room:
    """How many bytes may still come."""

    def __init__(self, size: int) -> None:
        self._lock, self._left = threading.Lock(), size

    def take(self, size: int) -> None:
        with self._lock:
            self._left -= size

    def check(self) -> None:
        if self._left <= 0:
            raise NoTurn(
                "The pictures are too large to be fetched together: ask for fewer at once."
            )


def _joined(target: Target, location: str) -> str:
    try:
        return str(target.url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise refused(f"{target.shown} leads to {location[:100]!r}, which is no URL.") from error
