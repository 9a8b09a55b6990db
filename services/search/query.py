"""What is looked for, as one vector: given, or made of products that the shards hold."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from services.search.shards import HeldIndex
from shared.errors import Conflict, Invalid, Unavailable
from shared.hits import SearchRequest, WeightedVector, not_searchable
from shared.products import bucket_of, shard_of
from shared.seams.wire import ProductVectors
from shared.spaces import Spaces
from shared.vectors import Floats, blended, unit_spaces


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """`whole` has unit length in every space; inner products with `blended` are similarities."""

    whole: Floats
    blended: Floats


def query_of(request: SearchRequest, spaces: Spaces, mean: Callable[[str], Floats]) -> Query:
    """The weighted sum of the request's parts; a vector that is given weighs one.

    `mean` tells the mean direction of a product's pictures.
    """
    _check_fingerprint(request, spaces)
    parts = [mean(p.product_id) * np.float32(p.weight) for p in request.products]
    parts += [_part(part, spaces) for part in request.parts]
    if request.vector is not None:
        parts.append(_given(request.vector, spaces))
    if not parts:
        raise Invalid("A search needs a vector or a product to look for.", code="empty_query")
    whole = unit_spaces(np.sum(parts, axis=0, dtype=np.float32), spaces)
    weights = {name: request.blend.get(name, 0.0) for name in spaces.slices()}
    found = blended(whole, spaces, weights)
    if not found.any():
        raise Invalid(
            "Nothing is left to look for: the parts of the query cancel out, or the blend weighs "
            "only spaces that the query is empty in.",
            code="empty_query",
        )
    return Query(whole, found)


def _check_fingerprint(request: SearchRequest, spaces: Spaces) -> None:
    if request.fingerprint != spaces.fingerprint:
        raise Invalid(
            f"The query is of model {request.fingerprint!r}, index {request.index!r} of "
            f"{spaces.fingerprint!r}: embed the picture with the model of the index.",
            code="wrong_fingerprint",
        )


def _given(data: bytes, spaces: Spaces) -> Floats:
    if len(data) != 4 * spaces.dim:
        raise Invalid(
            f"The query vector has {len(data)} bytes; float32 of {spaces.dim} numbers has "
            f"{4 * spaces.dim}.",
            code="wrong_dimension",
        )
    vector = np.frombuffer(data, dtype="<f4")
    if not np.isfinite(vector).all():
        raise Invalid("The query vector holds numbers that are not finite.", code="bad_vector")
    return unit_spaces(vector, spaces)


def _part(part: WeightedVector, spaces: Spaces) -> Floats:
    return _given(part.vector, spaces) * np.float32(part.weight)


def vectors_of(product_ids: Iterable[str], held: HeldIndex) -> ProductVectors:
    """What this process can say of these products: their mean directions, or that there are none."""
    vectors: dict[str, bytes] = {}
    absent: set[str] = set()
    for product_id in product_ids:
        try:
            vectors[product_id] = mean_of(product_id, held).tobytes()
        except Conflict:
            absent.add(product_id)
        except Unavailable:
            continue  # another process holds its shard
    return ProductVectors(vectors, frozenset(absent))


def mean_of(product_id: str, held: HeldIndex) -> Floats:
    """The mean direction of a product's pictures, of unit length in every space."""
    index = held.index
    number = shard_of(bucket_of(index.tenant, product_id), index.shards)
    shard = held.shards.get(number)
    if shard is None or shard.view is None:
        raise Unavailable(
            f"Shard {number} of {index.index_id!r}, which holds product {product_id!r}, "
            "is not open here; try again."
        )
    found = shard.view.product(product_id)
    if found is None or not len(found.vectors):
        raise not_searchable(product_id, index.index_id)
    return unit_spaces(found.vectors.mean(axis=0), index.spaces)
