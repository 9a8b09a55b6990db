"""ULIDs: ids that nobody has to hand out and that sort by the time they were made."""

import secrets
import threading
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 26
_RANDOM_BITS: Final = 80

_lock = threading.Lock()
_last = 0


def ulid() -> str:
    """26 lower-case characters, higher than any that this process made before."""
    global _last  # noqa: PLW0603 - being monotonic is a matter of the whole process
    fresh = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    with _lock:
        _last = fresh if fresh > _last else _last + 1
        number = _last
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))


def new_id(prefix: str) -> str:
    """A fresh id that tells what it names: `imp_01j…`."""
    return f"{prefix}_{ulid()}"
