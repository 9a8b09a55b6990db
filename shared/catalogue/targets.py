"""Which targets a write names as pending, and until when a writer may believe so."""

import threading
from dataclasses import dataclass

from shared.catalogue.port import Catalogue

WRITE_DEADLINE_MS = 10 * 60 * 1000
"""How long a write may be on its way; whoever is slower starts again."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A writer's list of targets; a write that names them must arrive by `not_after`."""

    names: frozenset[str]
    not_after: int


class Targets:
    """Reads the indexes of a tenant at most once in `cache_ms`.

    A new index is backfilled only after twice that time, and a write that named older targets is
    refused by then: so no write can miss it.
    """

    def __init__(self, catalogue: Catalogue, cache_ms: int = 10_000) -> None:
        self._catalogue = catalogue
        self.cache_ms = cache_ms
        self._known: dict[str, tuple[frozenset[str], int]] = {}
        self._lock = threading.Lock()

    def fresh(self, tenant: str) -> Fresh:
        now = self._catalogue.now()
        with self._lock:
            names, read_at = self._known.get(tenant, (frozenset[str](), -self.cache_ms - 1))
        if now - read_at > self.cache_ms:
            indexes = self._catalogue.indexes.all(tenant)
            names, read_at = frozenset().union(*(i.target_names() for i in indexes)), now
            with self._lock:
                self._known[tenant] = names, read_at
        # rule: write_deadline
        return Fresh(names, min(now + WRITE_DEADLINE_MS, read_at + 2 * self.cache_ms))
