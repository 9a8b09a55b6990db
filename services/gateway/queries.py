"""A search body as the request that crosses the seam to the search service."""

import math
import struct
from collections.abc import Mapping

from services.gateway import cursors, pictures
from services.gateway.keys import Caller
from services.gateway.ports import Ports
from services.gateway.schemas.products import PictureBody
from services.gateway.schemas.search import CropBody, QueryPicture, SearchOptions
from shared.errors import Conflict, Flaw, Invalid, NotFound, TooLarge, Undecodable
from shared.filters import FIELDS, parse
from shared.hits import DEFAULT_BLEND, FacetRequest, SearchRequest, WeightedProduct
from shared.images import Crop
from shared.indexes import Index
from shared.seams.embedder import Failure, embedder_of
from shared.spaces import SpaceName


def index_of(caller: Caller, name: str) -> Index:
    """An index by alias or id."""
    indexes = caller.ports.catalogue.indexes
    alias = indexes.alias(caller.tenant, name)
    index = indexes.get(alias.index_id if alias else name)
    if index is None or index.tenant != caller.tenant:
        raise NotFound(f"There is no index or alias {name!r} here.", code="no_such_index")
    return index


def request(
    index: Index,
    options: SearchOptions,
    vector: bytes | None,
    products: tuple[WeightedProduct, ...],
) -> SearchRequest:
    page = cursors.read(options.cursor)
    return SearchRequest(
        tenant=index.tenant,
        index=index.index_id,
        fingerprint=index.spaces.fingerprint,
        vector=vector,
        products=products,
        blend=_blend(options, index),
        filter=None if options.filter is None else parse(options.filter, index.declared),
        facets=tuple(_facet(index, f.field, f.limit, i) for i, f in enumerate(options.facets)),
        limit=options.limit,
        after=page.after,
        min_similarity=options.min_similarity,
        backend=options.backend,
        exact=options.exact,
        group_by=options.group_by,
        deadline_ms=options.deadline_ms,
    )


def picture_bytes(caller: Caller, picture: QueryPicture) -> bytes:
    """The bytes of a picture to look for, wherever the caller has them."""
    if picture.sha256 is not None:
        image = caller.ports.catalogue.images.get(caller.tenant, [picture.sha256]).get(
            picture.sha256
        )
        if image is None:
            raise _wrong("/query/image/sha256", "no_such_picture", "No such picture is stored.")
        return caller.ports.blobs.read(image.place.blob, image.place.offset, image.place.length)
    named = picture.model_dump(include={"upload_id", "base64"}, exclude_none=True)
    body = PictureBody.model_validate(named)
    found = pictures.from_body(caller.ports, caller.tenant, body, "/query/image", known={})
    return found.data or b""


def embedded(ports: Ports, index: Index, data: bytes, crop: CropBody | None) -> bytes:
    """The picture's vector in the index's spaces, by the model that the index was made with."""
    embedder = embedder_of(index.spaces.fingerprint, ports.embedder, ports.embedders)
    if embedder is None:
        raise Conflict(
            f"The index {index.index_id} was made with the model {index.model!r}, fingerprint "
            f"{index.spaces.fingerprint}, which is neither bundled nor registered here: register "
            "it, or search by products.",
            code="other_model",
        )
    part = None if crop is None else _inside(crop)
    (result,) = embedder.embed([data], crop=part)
    if isinstance(result, Failure):
        kind = TooLarge if result.code == TooLarge.code else Undecodable
        raise kind(result.detail, code=result.code)
    return result.vector


def packed(numbers: list[float] | None, index: Index) -> bytes | None:
    """A vector that was sent as numbers, as float32 bytes."""
    if numbers is None:
        return None
    if len(numbers) != index.spaces.dim:
        detail = f"The vector has {len(numbers)} numbers; this index takes {index.spaces.dim}."
        raise _wrong("/query/vector", "bad_vector", detail)
    try:
        data = struct.pack(f"<{len(numbers)}f", *numbers)
    except OverflowError as error:
        raise _wrong(
            "/query/vector", "bad_vector", "A number of the vector is no float32."
        ) from error
    if not any(numbers) or not math.isfinite(math.fsum(x * x for x in numbers)):
        raise _wrong("/query/vector", "bad_vector", "A vector has a length that is not zero.")
    return data


def _blend(options: SearchOptions, index: Index) -> Mapping[SpaceName, float]:
    blend = DEFAULT_BLEND if options.blend is None else options.blend
    known = {space.name for space in index.spaces.spaces}
    if strange := sorted(set(options.blend or ()) - known):
        detail = f"This index has no space {strange[0]!r}; it has {', '.join(sorted(known))}."
        raise _wrong(f"/blend/{strange[0]}", "bad_blend", detail)
    if not all(abs(weight) <= 100 for weight in blend.values()) or not any(
        weight for name, weight in blend.items() if name in known
    ):
        raise _wrong(
            "/blend", "bad_blend", "A blend has weights up to 100, at least one of them not zero."
        )
    return blend


def _facet(index: Index, field: str, limit: int, number: int) -> FacetRequest:
    known = (*FIELDS, *(f"custom.{name}" for name in index.declared))
    if field not in known:
        detail = f"No field {field!r} to count; there are: {', '.join(known)}."
        raise _wrong(f"/facets/{number}/field", "bad_facet", detail)
    return FacetRequest(field, limit)


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, flaws=(Flaw(pointer, code, detail),))


def _inside(crop: CropBody) -> Crop:
    """Sums of fractions may miss one by a rounding error."""
    return Crop(crop.x, crop.y, min(crop.width, 1 - crop.x), min(crop.height, 1 - crop.y))
