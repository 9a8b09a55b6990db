"""Which URLs may be fetched at all."""

import re
from dataclasses import dataclass
from typing import Final

import httpx

from shared.errors import Invalid

MAX_URL: Final = 2_048
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_PRIVATE: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+):[0-9]{1,5}")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked, as it was read; whoever connects takes host and port from here."""

    url: httpx.URL
    host: str
    port: int

    @property
    def shown(self) -> str:
        """For messages: without the query, which may hold a signature."""
        return f"{self.url.scheme}://{self.url.netloc.decode()}{self.url.path}"


@dataclass(frozen=True, slots=True)
class Permits:
    """`hosts` are exact names, or `*.example.com` for all below it: https, public addresses.

    `private` are `host:port`, over http too and at any address. An exception names the one door that
    it opens, because a switch for all private addresses would open every other one beside it.
    """

    hosts: tuple[str, ...] = ()
    private: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for found, shape, example in (
            *((host, _HOST, "pictures.example or *.example") for host in self.hosts),
            *((door, _PRIVATE, "host:port") for door in self.private),
        ):
            if not shape.fullmatch(found.lower()):
                raise Invalid(
                    f"{found!r} is no host that may be fetched from: it takes {example}.",
                    code="bad_settings",
                )

    def __bool__(self) -> bool:
        return bool(self.hosts or self.private)

    def is_private(self, host: str, port: int) -> bool:
        door = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return any(door == known.lower() for known in self.private)

    def target(self, url: str) -> Target:
        """The URL as it was understood; raises `Invalid` with the reason when it may not be asked."""
        target = _read(url)
        if target.url.userinfo:
            raise refused(f"{target.shown} carries a user or a password: leave them out.")
        if self.is_private(target.host, target.port):
            return target
        if target.url.scheme != "https":
            raise refused(f"{target.shown} is not https, and only https is fetched.")
        if not any(_covers(host.lower(), target.host) for host in self.hosts):
            raise refused(
                f"Pictures are not fetched from {target.host}: LOOKALIKE_FETCH_HOSTS does not name it."
            )
        if target.port != _PORTS["https"]:
            raise refused(f"{target.shown} names port {target.port}; only 443 is asked.")
        return target


def refused(detail: str) -> Invalid:
    return Invalid(detail, code="fetch_refused")


def _read(url: str) -> Target:
    if len(url) > MAX_URL:
        raise refused(f"The URL has {len(url):,} characters; at most {MAX_URL:,} are taken.")
    try:
        read = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise refused(f"{url[:100]!r} is no URL: {error}") from error
    if read.scheme not in _PORTS or not read.raw_host:
        raise refused(f"{url[:100]!r} is no URL of a web server: it takes https://host/path.")
    host = read.raw_host.decode("ascii").lower().rstrip(".")
    return Target(read, host, read.port or _PORTS[read.scheme])


def _covers(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern
