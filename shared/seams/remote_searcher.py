"""The `Searcher` port over HTTP: processes in groups, each of which holds a part of every index."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, get_args
from urllib.parse import quote

from shared.errors import Invalid, Unavailable
from shared.hits import (
    BackendChoice,
    SearchAnswer,
    SearchRequest,
    WeightedVector,
    not_searchable,
)
from shared.products import Backend
from shared.seams import wire
from shared.seams.groups import answers, one_answer, one_state
from shared.seams.http.exchange import Call
from shared.seams.http.processes import Group, Process
from shared.seams.http.race import race
from shared.seams.http.replies import read_by
from shared.seams.searcher import BackendState
from shared.seams.wire import ProductsAsked

VALUES_A_GROUP: Final = 10_000
"""So many values of a facet every group tells: counts are exact as long as no group has more."""
BACKENDS_S: Final = 3.0

_ANSWER = read_by(wire.answer_from_json)
_VECTORS = read_by(wire.vectors_from_json)
_BACKENDS = read_by(wire.backends_from_json)


class RemoteSearcher:
    """Process i is one of group i mod `groups`; shard n of every index is with group n mod `groups`.

    One process of every group is asked, all groups at once; those of a group stand in for each
    other. What a group should have said and did not is in `shards_failed`.
    """

    def __init__(self, urls: Sequence[str], groups: int = 1) -> None:
        if not 1 <= groups <= len(urls):
            raise Invalid(f"Of {len(urls)} search processes no {groups} groups can be made.")
        self._processes = [Process(url, f"search process {i}") for i, url in enumerate(urls)]
        self._groups = [Group(self._processes[group::groups]) for group in range(groups)]
        self._all = Group(self._processes)

    def search(self, request: SearchRequest) -> SearchAnswer:
        until = time.monotonic() + request.deadline_ms / 1_000
        groups = self._groups_of(request.backend)
        if len(groups) > 1 and request.products:
            request = self._resolved(request, until)
        return self._asked(groups, request, until)

    def backends(self, index: str) -> Sequence[BackendState]:
        """A backend is well when every group has a process that says so."""
        call = Call("GET", f"{wire.BACKENDS}?index={quote(index)}")
        everyone = [[process] for process in self._processes]
        told = race(call, everyone, _BACKENDS, time.monotonic() + BACKENDS_S)
        return [one_state(name, told, len(self._groups_of(name))) for name in get_args(Backend)]

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        for process in self._processes:
            process.close()

    def _groups_of(self, backend: BackendChoice) -> Sequence[Group]:
        """Elasticsearch is one for all: whichever process asks it answers for the whole index."""
        return [self._all] if backend == "elasticsearch" else self._groups

    def _asked(self, groups: Sequence[Group], request: SearchRequest, until: float) -> SearchAnswer:
        sent = request if len(groups) == 1 else _telling_all(request)
        call = Call("POST", wire.SEARCH, wire.request_to_json(sent))
        return one_answer(request, race(call, [one.in_order() for one in groups], _ANSWER, until))

    def _resolved(self, request: SearchRequest, until: float) -> SearchRequest:
        """The same with vectors instead of products, told by the groups that hold them."""
        ids = tuple(dict.fromkeys(part.product_id for part in request.products))
        asked = ProductsAsked(request.tenant, request.index, ids)
        call = Call("POST", wire.VECTORS, wire.asked_to_json(asked))
        told = race(call, [group.in_order() for group in self._groups], _VECTORS, until)
        found = answers(told).values()
        vectors = {known: vector for one in found for known, vector in one.vectors.items()}
        absent = frozenset().union(*(one.absent for one in found))
        for product_id in ids:
            if product_id in absent:
                raise not_searchable(product_id, request.index)
            if product_id not in vectors:
                raise Unavailable(
                    f"Nobody who holds product {product_id!r} can be asked; try again."
                )
        parts = [WeightedVector(vectors[p.product_id], p.weight) for p in request.products]
        return replace(
            request,
            products=(),
            parts=(*parts, *request.parts),
            leave_out=request.leave_out.union(ids),
        )


def _telling_all(request: SearchRequest) -> SearchRequest:
    """The most frequent values of all need not be among the most frequent of every group."""
    facets = tuple(replace(facet, limit=VALUES_A_GROUP) for facet in request.facets)
    return replace(request, facets=facets)
