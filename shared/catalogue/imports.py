"""Named operations on imports and their chunks."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol, get_args

from shared.jobs import Chunk, Counters, DeadLetter, Import, JobState, Tally

STATES: Final[tuple[JobState, ...]] = get_args(JobState)
NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


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

    def planned(self, import_id: str, chunks: Sequence[Chunk], *, scanned: int) -> None:
        """The next chunks, found up to `scanned`; those already there stay as they are."""
        ...

    def planned_wholly(self, import_id: str) -> None: ...

    def set_state(
        self,
        import_id: str,
        state: JobState,
        detail: str | None = None,
        *,
        origins: tuple[JobState, ...] = STATES,
    ) -> bool:
        """Only from one of `origins`; False when it was in another state, or is not there."""
        ...

    def note(self, import_id: str, findings: Mapping[str, Any]) -> None:
        """Adds to what was found; the same name again replaces."""
        ...

    def tally(self, import_id: str, since: int = 0) -> Tally:
        """Counters are derived from chunks, so that they balance whatever ran twice."""
        ...

    def categories(self, import_id: str) -> Mapping[str, int]:
        """Of a dry run, over all chunks."""
        ...

    def chunks(self, import_id: str) -> list[Chunk]: ...

    def open(self, import_id: str) -> bool:
        """Whether any chunk is still to be done, leased or not."""
        ...

    def waiting(self, import_id: str, limit: int) -> list[Chunk]:
        """Chunks to be done that nobody holds a lease on, fewest attempts first."""
        ...

    def claim(self, import_id: str, number: int, lease_ms: int) -> Chunk | None:
        """The chunk with attempts + 1, or None: done, leased, or the import is not running."""
        ...

    def finish(
        self,
        import_id: str,
        number: int,
        counters: Counters,
        categories: Mapping[str, int] = NOTHING,
    ) -> None: ...

    def give_up(self, import_id: str, number: int, counters: Counters) -> None: ...

    def reopen(self, import_id: str, offsets: Collection[int] = ()) -> int:
        """Failed chunks, and those that hold these offsets, are to be done again; how many."""
        ...


class DeadLetters(Protocol):
    def put(self, letters: Sequence[DeadLetter]) -> None:
        """The same key again counts an attempt."""
        ...

    def page(
        self, tenant: str, *, source: str | None = None, after: str = "", limit: int = 100
    ) -> list[DeadLetter]:
        """By key; `source` narrows to an import."""
        ...

    def drop(self, tenant: str, keys: Sequence[str]) -> int: ...
