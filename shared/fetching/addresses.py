"""Names as addresses, and which addresses are the public internet's."""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from shared.errors import Invalid, Unavailable

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to addresses, the best first; raises `OSError`."""

# `is_global` is true of multicast, of what stands for IPv4 within IPv6, and of these.
_IPV4_HOLES: Final = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # IETF protocols; some clouds answer there
            "192.88.99.0/24",  # the way into 6to4
            "168.63.129.16/32",  # Azure's host, as its machines see it
        ),
    )
)
_UNICAST: Final = ip_network("2000::/3")
"""All of IPv6 that was ever given out; NAT64 and everything private lie outside."""
_IPV6_HOLES: Final = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # IETF protocols: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which carries any IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64: Final = ip_network("64:ff9b::/96")
_resolver: Final = ThreadPoolExecutor(8, "resolve")


def is_public(address: str) -> bool:
    """Whether it can be somebody's server on the internet; what is no address is not."""
    try:
        said = ip_address(address)
    except ValueError:
        return False
    one = _embedded(said)
    if isinstance(one, IPv4Address):
        usual = one.is_global and not one.is_multicast and not one.is_reserved
        return usual and not any(one in hole for hole in _IPV4_HOLES)
    return one in _UNICAST and one.is_global and not any(one in hole for hole in _IPV6_HOLES)


def addresses_of(host: str, port: int, resolve: Resolve, within_s: float) -> Sequence[str]:
    """Looked up in a thread, for nothing else bounds how long that takes."""
    asked = _resolver.submit(partial(resolve, host, port))
    try:
        found = asked.result(max(0.0, within_s))
    except TimeoutError as error:
        raise Unavailable(
            f"{host} could not be looked up in time: try again.", code="fetch_unavailable"
        ) from error
    except socket.gaierror as error:
        raise _unknown(host, error) from error
    finally:
        asked.cancel()
    if not found:
        raise Invalid(f"{host} has no address: look at the URL.", code="fetch_failed")
    return found


def resolved(host: str, port: int) -> Sequence[str]:
    """As this machine resolves names, IPv4 first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    in_order = sorted(found, key=lambda one: one[0] != socket.AF_INET)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in in_order))


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that is meant: a host with IPv6 alone sees the others through NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address


def _unknown(host: str, error: socket.gaierror) -> Invalid | Unavailable:
    if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
        return Invalid(f"There is no host {host}: look at the URL.", code="fetch_failed")
    return Unavailable(
        f"{host} cannot be looked up ({error.strerror}): try again.", code="fetch_unavailable"
    )
