"""Whoever is asked for by name: the shards of this process, or Elasticsearch beside them."""

from collections.abc import Sequence

from shared.hits import SearchAnswer, SearchRequest
from shared.seams.searcher import BackendState, Searcher


class Backends:
    """The `Searcher` port over both; `auto` stays with the shards.

    Without `elastic`, whoever asks for it is told by `local` how to configure it.
    """

    def __init__(self, local: Searcher, elastic: Searcher | None) -> None:
        self._local, self._elastic = local, elastic

    def search(self, request: SearchRequest) -> SearchAnswer:
        if request.backend == "elasticsearch" and self._elastic is not None:
            return self._elastic.search(request)
        return self._local.search(request)

    def backends(self, index: str) -> Sequence[BackendState]:
        told = {state.name: state for state in self._local.backends(index)}
        if self._elastic is not None:
            told |= {state.name: state for state in self._elastic.backends(index)}
        return list(told.values())
