"""Searching: a query becomes vectors, the searcher finds, the catalogue has the last word."""

import dataclasses
import hashlib
from typing import get_args

from services.gateway import cursors, hydration, pictures, queries
from services.gateway.answers import stamp
from services.gateway.hydration import Found
from services.gateway.keys import Caller
from services.gateway.products import get, picture_url
from services.gateway.schemas.search import (
    CropBody,
    FacetValue,
    FacetView,
    FailedShard,
    HitView,
    Meta,
    QueryBody,
    SearchOptions,
    SearchView,
    Shards,
    Timings,
)
from services.gateway.stopwatch import Phase, Stopwatch
from shared.errors import DeadlineExceeded
from shared.hits import Hit, SearchAnswer, SearchRequest, WeightedProduct
from shared.ids import new_id
from shared.products import Product


def search(caller: Caller, query: QueryBody, options: SearchOptions) -> SearchView:
    """By picture, products, vector, or a sum of them."""
    watch = Stopwatch()
    index = queries.index_of(caller, options.index)
    vector = queries.packed(query.vector, index)
    products = tuple(WeightedProduct(part.id, part.weight) for part in query.products)
    request = queries.request(index, options, vector, products)
    if query.image is not None:
        data = queries.picture_bytes(caller, query.image)
        watch.lap("decode")
        vector = queries.embedded(caller.ports, index, data, query.image.crop)
        watch.lap("embed")
        request = dataclasses.replace(request, vector=vector)
    return _answered(caller, request, options, watch)


def search_picture(
    caller: Caller, data: bytes, crop: CropBody | None, options: SearchOptions
) -> SearchView:
    """By a picture that came as the body itself."""
    watch = Stopwatch()
    index = queries.index_of(caller, options.index)
    request = queries.request(index, options, None, ())
    pictures.from_file(data, "")
    watch.lap("decode")
    vector = queries.embedded(caller.ports, index, data, crop)
    watch.lap("embed")
    return _answered(caller, dataclasses.replace(request, vector=vector), options, watch)


def similar(caller: Caller, product_id: str, options: SearchOptions) -> SearchView:
    """By a product of the catalogue."""
    watch = Stopwatch()
    get(caller, product_id)
    index = queries.index_of(caller, options.index)
    request = queries.request(index, options, None, (WeightedProduct(product_id),))
    return _answered(caller, request, options, watch)


def etag_of(view: SearchView) -> str:
    """Another one as soon as a hit, its place or its product's version differs."""
    text = view.model_dump_json(include={"hits": True, "facets": True, "next_cursor": True})
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _answered(
    caller: Caller, request: SearchRequest, options: SearchOptions, watch: Stopwatch
) -> SearchView:
    left = int(options.deadline_ms - watch.total)
    if left < 1:
        raise DeadlineExceeded(f"Embedding took longer than {options.deadline_ms} ms; try again.")
    timed = dataclasses.replace(request, deadline_ms=left)
    found = hydration.find(caller.ports, timed, watch)
    depth = cursors.read(options.cursor).depth
    now = caller.ports.catalogue.now()
    hits = [
        _hit(caller, hit, product, depth + rank, now)
        for rank, (hit, product) in enumerate(found.hits, start=1)
    ]
    after = found.after
    return SearchView(
        search_id=new_id("sea"),
        hits=hits,
        facets=_facets(found.answer),
        next_cursor=None if after is None else cursors.spelled(after, depth + len(hits)),
        meta=_meta(request.index, found, watch),
    )


def _hit(caller: Caller, hit: Hit, product: Product, rank: int, now: int) -> HitView:
    attributes = product.attributes
    return HitView(
        product_id=hit.product_id,
        image=hit.image,
        rank=rank,
        similarity=hit.similarity,
        spaces=hit.spaces,
        thumbnail_url=picture_url(caller, hit.image, "thumb", now),
        title=attributes.title,
        brand=attributes.brand,
        category=attributes.category,
        price=attributes.price,
        currency=attributes.currency,
        in_stock=attributes.in_stock,
        url=attributes.url,
        version=product.version,
    )


def _facets(answer: SearchAnswer) -> list[FacetView]:
    return [
        FacetView(field=name, values=[FacetValue(value=c.value, count=c.count) for c in counts])
        for name, counts in answer.facets.items()
    ]


def _meta(index: str, found: Found, watch: Stopwatch) -> Meta:
    answer = found.answer
    failed = [FailedShard(shard=f.shard, reason=f.reason) for f in answer.shards_failed]
    return Meta(
        backend=answer.backend,
        plan=answer.plan,
        rows_seen=answer.rows_seen,
        index=index,
        generation=answer.generation,
        as_of=stamp(answer.as_of),
        partial=answer.partial,
        shards=Shards(ok=answer.shards_ok, failed=failed),
        timings_ms=_timings(watch),
    )


def _timings(watch: Stopwatch) -> Timings:
    watch.lap("hydrate")
    phases = {phase: round(watch.phases.get(phase, 0.0), 3) for phase in get_args(Phase)}
    return Timings(**phases, total=round(watch.total, 3))
