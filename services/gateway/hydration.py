"""The catalogue has the last word on hits: what was deleted or changed since is not answered."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.gateway.ports import Ports
from services.gateway.stopwatch import Stopwatch
from shared.filters import passes
from shared.hits import Cursor, Hit, SearchAnswer, SearchRequest
from shared.products import Product

_MARGIN_SHARE: Final = 0.25
_MARGIN_LEAST: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """Hits with their products as the catalogue has them at this moment."""

    hits: tuple[tuple[Hit, Product], ...]
    answer: SearchAnswer
    after: Cursor | None
    """Where the next page begins; None when there is none."""


def find(ports: Ports, request: SearchRequest, watch: Stopwatch) -> Found:
    """As many living hits as were asked for, if there are so many: refilled once."""
    asked = request.limit + int(request.limit * _MARGIN_SHARE) + _MARGIN_LEAST
    wide = dataclasses.replace(request, limit=asked)
    answer = ports.searcher.search(wide)
    watch.lap("search")
    kept = _kept(ports, request, answer.hits)
    watch.lap("hydrate")
    last = answer
    if len(kept) < request.limit and len(last.hits) == asked:
        last = ports.searcher.search(dataclasses.replace(wide, after=_place(last.hits[-1])))
        watch.lap("search")
        kept += _kept(ports, request, last.hits)
        failed = tuple(dict.fromkeys((*answer.shards_failed, *last.shards_failed)))
        answer = dataclasses.replace(answer, shards_failed=failed)
    after = None
    if len(kept) > request.limit:
        after = _place(kept[request.limit - 1][0])
    elif len(last.hits) == asked:
        after = _place(last.hits[-1])
    return Found(tuple(kept[: request.limit]), answer, after)


def _kept(ports: Ports, request: SearchRequest, hits: Sequence[Hit]) -> list[tuple[Hit, Product]]:
    # rule: hydration
    products = ports.catalogue.products.get(request.tenant, {hit.product_id for hit in hits})
    return [
        (hit, products[hit.product_id])
        for hit in hits
        if hit.product_id in products and _answerable(request, hit, products[hit.product_id])
    ]


def _answerable(request: SearchRequest, hit: Hit, product: Product) -> bool:
    return (
        not product.deleted
        # a product is not answered for a picture that it has given up
        and hit.image in product.images
        and (request.filter is None or passes(request.filter, product.attributes))
    )


def _place(hit: Hit) -> Cursor:
    return Cursor(hit.similarity, hit.product_id)
