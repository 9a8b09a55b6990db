"""How a process of many threads keeps memory."""

import ctypes
from typing import Final

_ARENA_MAX: Final = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""


def share_arenas(count: int = 2) -> None:
    """All threads take from so many heaps; to be called before they start.

    glibc gives nearly every thread a heap of its own, and each keeps what its thread needed once: some
    40 MB of an import. Other libraries of C have no such setting, and nothing is done there.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, count)
