"""Named operations on imports and their chunks."""

from collections.abc import Sequence
from typing import Protocol

from shared.jobs import Chunk, Counters, DeadLetter, Import, JobState


class Imports(Protocol):
    def create(self, new: Import) -> Import:
        """`created` is set from the store's clock."""
        ...

    def get(self, import_id: str) -> Import | None: ...

    def recent(self, tenant: str, limit: int = 100) -> list[Import]:
        """The latest first."""
        ...

    def unfinished(self) -> list[Import]:
        """Of any tenant, the oldest first; finished are those whose state is."""
        ...

    def planned(self, import_id: str, chunks: Sequence[Chunk], *, scanned: int, done: bool) -> None:
        """Chunks found up to `scanned`; those already there stay as they are."""
        ...

    def set_state(self, import_id: str, state: JobState, detail: str | None = None) -> None: ...

    def chunks(self, import_id: str) -> list[Chunk]: ...

    def waiting(self, import_id: str, limit: int) -> list[Chunk]:
        """Chunks to be done that nobody holds a lease on, fewest attempts first."""
        ...

    def claim(self, import_id: str, number: int, lease_ms: int) -> Chunk | None:
        """The chunk with attempts + 1, or None: done, leased, or the import is not running."""
        ...

    def finish(self, import_id: str, number: int, counters: Counters) -> None: ...

    def give_up(self, import_id: str, number: int, counters: Counters) -> None: ...


class DeadLetters(Protocol):
    def put(self, letter: DeadLetter) -> None:
        """The same key again counts an attempt."""
        ...

    def page(
        self, tenant: str, *, source: str | None = None, after: str = "", limit: int = 100
    ) -> list[DeadLetter]:
        """By key; `source` narrows to an import."""
        ...

    def drop(self, tenant: str, keys: Sequence[str]) -> int: ...
