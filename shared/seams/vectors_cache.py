"""Where the vectors of queries are remembered; whatever is forgotten is embedded anew."""

import threading
from collections import OrderedDict
from typing import Protocol

from shared.seams.embedder import Embedding


class VectorCache(Protocol):
    """Embeddings, without thumbnails, by a key that says everything they depend on.

    May forget at any time and never raises; what it returns is what was put there.
    """

    def get(self, key: str) -> Embedding | None: ...

    def put(self, key: str, embedding: Embedding) -> None: ...


class LruVectors:
    """In this process: the `size` embeddings that were used last, each of a kilobyte or two."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._known: OrderedDict[str, Embedding] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Embedding | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: str, embedding: Embedding) -> None:
        with self._lock:
            self._known[key] = embedding
            self._known.move_to_end(key)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
