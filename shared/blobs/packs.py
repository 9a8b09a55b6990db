"""Many small pictures in one object, so that twelve million pictures are not twelve million files."""

from types import TracebackType
from typing import Self

from shared.blobs.port import Blobs
from shared.images import Place


class PackWriter:
    """Collects bytes for one blob and says where in it they will lie.

    The blob is written when the context is left well, and only if there is something to write; a
    place means nothing before. Everything is held in memory: a pack is a batch, not a catalogue.
    """

    def __init__(self, blobs: Blobs, key: str) -> None:
        self._blobs = blobs
        self._key = key
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, data: bytes) -> Place:
        place = Place(self._key, self._size, len(data))
        self._parts.append(data)
        self._size += len(data)
        return place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._parts:
            self._blobs.put(self._key, b"".join(self._parts))
