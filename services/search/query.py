"""What is looked for, as one vector: given, or made of products that the shards hold."""

from dataclasses import dataclass

import numpy as np

from services.search.shards import HeldIndex
from shared.errors import Conflict, Invalid, Unavailable
from shared.hits import SearchRequest, WeightedProduct
from shared.products import bucket_of, shard_of
from shared.spaces import Spaces
from shared.vectors import Floats, blended, unit_spaces


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """`whole` has unit length in every space; inner products with `blended` are similarities."""

    whole: Floats
    blended: Floats


def query_of(request: SearchRequest, held: HeldIndex) -> Query:
    """The weighted sum of the request's parts; a vector that is given weighs one."""
    spaces = held.index.spaces
    _check_fingerprint(request, spaces)
    parts = [_product(part, request, held) for part in request.products]
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


def _product(part: WeightedProduct, request: SearchRequest, held: HeldIndex) -> Floats:
    """The mean direction of a product's pictures, times its weight."""
    number = shard_of(bucket_of(request.tenant, part.product_id), held.index.shards)
    shard = held.shards.get(number)
    if shard is None or shard.view is None:
        raise Unavailable(
            f"Shard {number} of {request.index!r}, which holds product {part.product_id!r}, "
            "is not open here; try again."
        )
    found = shard.view.product(part.product_id)
    if found is None or not len(found.vectors):
        raise Conflict(
            f"Product {part.product_id!r} cannot be searched for: index {request.index!r} has no "
            f"vector of it. GET /v1/products/{part.product_id}/presence tells where it is.",
            code="product_not_searchable",
        )
    mean = unit_spaces(found.vectors.mean(axis=0), held.index.spaces)
    return mean * np.float32(part.weight)
