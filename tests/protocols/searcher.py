"""A search that leaves nothing out: what it answers is what the index shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.hits import Hit, SearchAnswer, SearchRequest
from shared.seams.searcher import BackendState
from tests.protocols.scenery import SHARDS

if TYPE_CHECKING:
    from tests.protocols.stage import Stage


@dataclass(frozen=True)
class EverythingSearcher:
    """Answers every product that the index shows."""

    stage: "Stage"

    def search(self, request: SearchRequest) -> SearchAnswer:
        index = self.stage.store.indexes.get(request.index)
        assert index is not None
        self.stage.give_way("searcher.search")
        hits = [
            Hit(pid, live.shas[0], 1.0, {}, live.revision)
            for view in self.stage.views(index)
            for pid, _ in view.products()
            if (live := view.product(pid)) is not None and live.shas
        ]
        return SearchAnswer(tuple(hits[: request.limit]), "exact", "all", len(hits), 0, 0, SHARDS)

    def backends(self, _index: str) -> Sequence[BackendState]:
        return ()
