"""The search service as others see it, in this process or over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.hits import SearchAnswer, SearchRequest
from shared.products import Backend


@dataclass(frozen=True, slots=True)
class BackendState:
    """Whether a backend can be asked; `reason` says how to configure it where it cannot."""

    name: Backend
    configured: bool
    healthy: bool
    reason: str | None = None


class Searcher(Protocol):
    """Queries to hits.

    Laws: hits are sorted by similarity (falling), then id; one hit a product; no more than
    `limit`; only rows live at one manifest generation per shard, never a mixture; a filter holds
    for every hit by the attributes in the index. A shard that fails or is late is named in
    `shards_failed`, never left out in silence.

    Raises `NotConfigured` for a backend this installation lacks, `NotFound` for an index it does
    not hold, `Conflict` (`product_not_searchable`) for a query product without live rows.
    """

    def search(self, request: SearchRequest) -> SearchAnswer: ...

    def backends(self, index: str) -> Sequence[BackendState]: ...
