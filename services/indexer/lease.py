"""Leases that avoid double work; nothing is wrong when two hold one."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.indexer.ports import Ports
from shared.ids import ulid

_OVER = -1
"""A lease that ended before this moment."""


@contextmanager
def held(ports: Ports, name: str, lease_ms: int) -> Iterator[bool]:
    """Whether the work is ours; given back at the end, so that the next ring finds it free."""
    holder = ulid()
    ours = ports.catalogue.office.lease(name, holder, lease_ms)
    try:
        yield ours
    finally:
        if ours:
            ports.catalogue.office.lease(name, holder, _OVER)


def every(ports: Ports, name: str, interval_ms: int) -> bool:
    """True at most once in an interval among all processes: a lease that is left to run out."""
    return ports.catalogue.office.lease(f"every/{name}", ulid(), interval_ms)


def free(ports: Ports, name: str) -> bool:
    """Whether nobody holds it at this moment."""
    return ports.catalogue.office.lease(name, ulid(), _OVER)
