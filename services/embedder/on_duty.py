"""The models that one process embeds with: the settings' from its start, others when asked for."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from shared.catalogue.port import Catalogue
from shared.errors import LookalikeError, Unavailable
from shared.images import Crop
from shared.indexes import LIVE
from shared.seams.embedder import Embedder, Embedders, Embedding, Failure
from shared.spaces import Spaces

_log: Final = logging.getLogger(__name__)
OTHERS: Final = 4
"""Models beside the settings' that are kept at once: the live one, candidates, and a spare place."""


class Started(Embedder, Protocol):
    """An embedder that is somebody's to close; it ends what it is busy with."""

    def close(self) -> None: ...


class OnDuty:
    """The `Embedder` of the settings' model, and the `Embedders` of all that `find` knows.

    `find` gives the folder of a fingerprint, `start` an embedder of a folder. Of the others, those
    that nobody asked for the longest are closed; closed with `close` or `with`, all go together.
    """

    def __init__(
        self,
        own: Path,
        find: Callable[[str], Path | None],
        start: Callable[[Path], Started],
        *,
        others: int = OTHERS,
    ) -> None:
        self._find, self._start, self._room = find, start, others
        self._own = start(own)
        self._others: OrderedDict[str, _Called] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def spaces(self) -> Spaces:
        return self._own.spaces

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        return self._own.embed(pictures, crop=crop, thumbnails=thumbnails)

    def of(self, fingerprint: str) -> Embedder | None:
        """Started by the first who asks; others who ask for it meanwhile wait."""
        if fingerprint == self.spaces.fingerprint:
            return self._own
        called = self._called(fingerprint)
        if called is None:
            return None
        try:
            return called.embedder()
        except LookalikeError as error:
            self._dismiss(fingerprint, called)
            raise Unavailable(
                f"The model of {fingerprint} cannot be started: {error.detail}"
            ) from error

    def close(self) -> None:
        with self._lock:
            gone = list(self._others.values())
            self._others.clear()
            self._room = 0
        for called in gone:
            called.close()
        self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _called(self, fingerprint: str) -> "_Called | None":
        """Its place, made where it has none; what has to make room for it is closed."""
        with self._lock:
            if fingerprint in self._others:
                self._others.move_to_end(fingerprint)
                return self._others[fingerprint]
        folder = self._find(fingerprint)
        if folder is None:
            return None
        with self._lock:
            if self._room == 0:
                raise Unavailable("The embedder was closed.")
            called = self._others.setdefault(fingerprint, _Called(self._start, folder))
            surplus = [
                self._others.popitem(last=False)[1] for _ in range(len(self._others) - self._room)
            ]
        for gone in surplus:
            gone.close()
        return called

    def _dismiss(self, fingerprint: str, called: "_Called") -> None:
        with self._lock:
            if self._others.get(fingerprint) is called:
                del self._others[fingerprint]
        called.close()


def start_live(embedders: Embedders, catalogue: Catalogue, tenant: str) -> None:
    """The model of the index that shoppers search, before they come; what cannot be had now waits."""
    try:
        alias = catalogue.indexes.alias(tenant, LIVE)
        index = catalogue.indexes.get(alias.index_id) if alias else None
        if index is not None:
            embedders.of(index.spaces.fingerprint)
    except LookalikeError as error:
        _log.warning("the live index's model is started when it is asked for: %s", error.detail)


class _Called:
    """An embedder that its first caller starts, unless it was closed before."""

    def __init__(self, start: Callable[[Path], Started], folder: Path) -> None:
        self._start, self._folder = start, folder
        self._embedder: Started | None = None
        self._closed = False
        self._lock = threading.Lock()

    def embedder(self) -> Started:
        with self._lock:
            if self._closed:
                raise Unavailable("Other models were asked for meanwhile; try again.")
            if self._embedder is None:
                self._embedder = self._start(self._folder)
            return self._embedder

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._embedder is not None:
                self._embedder.close()
