"""How long each step of an import takes: timers around the ports of a house, set in its own process.

A step is timed as its caller waits for it, and by the CPU time of the thread that calls. What others do
for it meanwhile, SQLite's writer and the embedding children, is in the CPU time by thread instead. A few
calls a chunk are counted, so the timers cost nothing that could be measured.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from services.embedder import chunks, intake
from services.embedder.local import ChildEmbedder
from services.indexer import tasks as indexer
from shared.blobs.packs import PackWriter
from shared.catalogue.sqlite.images import SqliteImages
from shared.catalogue.sqlite.imports import SqliteImports
from shared.catalogue.sqlite.products import SqliteProducts

_STEPS: tuple[tuple[str, Any, str], ...] = (
    ("claim the chunk", SqliteImports, "claim"),
    ("read and decode BSON", chunks, "_read"),
    ("hash", intake, "gather"),
    ("look for pictures", SqliteImages, "touch"),
    ("wait for embedding", ChildEmbedder, "embed"),
    ("write the pack", PackWriter, "__exit__"),
    ("write images", SqliteImages, "put"),
    ("write products", SqliteProducts, "upsert"),
    ("announce", intake, "announce"),
    ("finish the chunk", SqliteImports, "finish"),
    ("index", indexer, "handle"),
)


class Timers:
    """Set once in a process, before anything runs."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, float, float]] = []
        for step, owner, name in _STEPS:
            setattr(owner, name, self._timed(step, getattr(owner, name)))

    def seconds(self) -> dict[str, tuple[float, float]]:
        """By step: as waited for, and of the caller's CPU."""
        sums: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for step, waited, worked in self._taken:
            sums[step] = (sums[step][0] + waited, sums[step][1] + worked)
        return sums

    def _timed(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def timed(*args: Any, **kwargs: Any) -> Any:
            begun, before = time.perf_counter(), time.thread_time()
            try:
                return work(*args, **kwargs)
            finally:
                taken = time.perf_counter() - begun, time.thread_time() - before
                self._taken.append((step, *taken))

        return timed
