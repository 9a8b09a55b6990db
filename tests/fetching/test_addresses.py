import socket
import threading
import time

import pytest

from shared.errors import Invalid, Unavailable
from shared.fetching.addresses import addresses_of, is_public, resolved

PUBLIC = ("8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8")
NOT_PUBLIC = {
    "this host": ("0.0.0.0", "0.1.2.3", "::"),  # noqa: S104 - nobody listens there
    "loopback": ("127.0.0.1", "127.9.9.9", "::1"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"),
    "carrier-grade NAT": ("100.64.0.1", "100.127.255.255", "100.100.100.200"),
    "link-local": ("169.254.169.254", "fe80::1", "fe80::1%eth0"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1"),
    "reserved": ("240.0.0.1", "255.255.255.255", "4000::1", "fec0::1", "5f00::1"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "benchmarks": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "protocols": ("192.0.0.1", "192.0.0.192", "192.88.99.1", "2001:20::1"),
    "a cloud's own": ("168.63.129.16",),
    "IPv4 within IPv6": (
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1"),
        *("2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::"),
    ),
    "no address": ("", "example.com", "127.1", "0x7f000001", "2130706433", "[::1]"),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("kind", NOT_PUBLIC)
def test_what_is_not_the_internet_is_not_public(kind: str) -> None:
    assert [address for address in NOT_PUBLIC[kind] if is_public(address)] == []


def test_a_name_that_is_not_there_is_told() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Invalid, match=r"no host shop\.example"):
        addresses_of("shop.example", 443, nowhere, 1)


def test_a_resolver_that_is_down_may_be_up_again() -> None:
    def down(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with pytest.raises(Unavailable, match="Temporary"):
        addresses_of("shop.example", 443, down, 1)


def test_a_look_up_that_hangs_is_waited_for_no_longer_than_said() -> None:
    over = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        over.wait(30)
        return []

    begun = time.monotonic()
    with pytest.raises(Unavailable, match="in time"):
        addresses_of("shop.example", 443, hangs, 0.1)
    assert time.monotonic() - begun < 5
    over.set()


def test_this_machine_resolves_numbers_to_themselves() -> None:
    assert list(resolved("127.0.0.1", 80)) == ["127.0.0.1"]
    # as libc reads them, which is why the address is looked at, never the name
    assert list(resolved("0x7f.1", 80)) == ["127.0.0.1"]
