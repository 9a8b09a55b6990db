"""A search process over HTTP, for gateways: `application` over the shards that it holds."""

from dataclasses import replace

from starlette.applications import Starlette

from services.search.query import vectors_of
from services.search.searcher import held_index
from services.search.shards import Shards
from shared.errors import Invalid
from shared.seams import wire
from shared.seams.http.serving import Asked, Endpoint, application
from shared.seams.searcher import Searcher


def create_app(
    searcher: Searcher, shards: Shards, *, threads: int = 8, waiting: int = 64
) -> Starlette:
    """So many searches at once, so many more that wait for their turn; others are turned away."""

    def search(asked: Asked) -> bytes:
        request = wire.request_from_json(asked.body)
        timed = replace(request, deadline_ms=asked.left_ms(request.deadline_ms))
        return wire.answer_to_json(searcher.search(timed))

    def vectors(asked: Asked) -> bytes:
        wanted = wire.asked_from_json(asked.body)
        held = held_index(shards, wanted.index, wanted.tenant)
        return wire.vectors_to_json(vectors_of(wanted.product_ids, held))

    def backends(asked: Asked) -> bytes:
        index = asked.query.get("index")
        if not index:
            raise Invalid("Name an index: ?index=idx_….")
        return wire.backends_to_json(searcher.backends(index))

    endpoints = (
        Endpoint("POST", wire.SEARCH, search),
        Endpoint("POST", wire.VECTORS, vectors),
        Endpoint("GET", wire.BACKENDS, backends),
    )
    return application(endpoints, shards.check_ready, threads=threads, waiting=waiting)
