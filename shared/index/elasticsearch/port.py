"""What the indexer and the search ask of Elasticsearch, without its client, which is slow to import."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from shared.errors import Unavailable
from shared.index.elasticsearch.bulk import Outcome
from shared.index.elasticsearch.documents import Write
from shared.indexes import Index

READ_S: Final = 10.0
ALL_PAGES_S: Final = 600.0


class Away(Unavailable):
    """Elasticsearch cannot be reached, is full, or takes no writes at this time."""


class Late(Away):
    """It did not answer in the time given."""


class Cluster(Protocol):
    """Every call raises `Away` when it may be tried again later, and none waits over ten seconds."""

    def has(self, index: Index) -> bool: ...

    def ensure(self, index: Index) -> None:
        """Made unless it is there, by whoever comes first; a glance when it is there."""
        ...

    def name(self, index: Index) -> str: ...

    def drop(self, name: str) -> None:
        """The end of an index by its own name, if it is there."""
        ...

    def write(self, index: Index, writes: Sequence[Write]) -> Outcome:
        """One request, judged item by item."""
        ...

    def refresh(self, index: Index) -> None:
        """What was written before is found by searches after it."""
        ...

    def search(
        self, index: Index, body: Mapping[str, Any], *, seconds: float = READ_S
    ) -> Mapping[str, Any]:
        """The answer as Elasticsearch gives it; shards that failed or were late are named in it."""
        ...

    def sources(
        self, index: Index, ids: Sequence[str], fields: Sequence[str], *, seconds: float = READ_S
    ) -> list[Mapping[str, Any]]:
        """Documents by their ids, as searches see them; those that there are."""
        ...

    def count(self, index: Index, query: Mapping[str, Any], *, seconds: float = READ_S) -> int: ...

    def pages(
        self, index: Index, body: Mapping[str, Any], size: int, *, seconds: float = ALL_PAGES_S
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        """All hits of a query at one moment, so many at a time; `seconds` are for all together."""
        ...

    def trouble(self, index: Index) -> str | None:
        """Why this index cannot be asked; None when it can."""
        ...
