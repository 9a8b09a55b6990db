"""Writing and reading products: bytes first, then images, then the product, then the doorbell."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal, cast
from urllib.parse import quote

from services.gateway import conditions, pictures
from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.pictures import Fetched, Picture
from services.gateway.presence import presence
from services.gateway.rings import ring_for
from services.gateway.schemas.products import (
    PictureView,
    ProductBody,
    ProductView,
    State,
    WrittenView,
)
from services.gateway.signing import signed_path
from shared.attributes import merged, read_attributes
from shared.catalogue.products import Outcome, ProductWrite
from shared.errors import Conflict, Flaw, Invalid, LookalikeError, NotFound, Stale, Unavailable
from shared.images import Image
from shared.products import MAX_ID, MAX_IMAGES, Attributes, Product, is_product_id

_PATCH_TRIES: Final = 5

Result = Outcome | LookalikeError


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole product as a caller sent it, read and checked."""

    product_id: str
    attributes: Attributes
    pictures: tuple[Picture, ...]
    if_version: int | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Over which version a caller wants to write."""

    if_match: str | None = None
    if_none_match: str | None = None


def checked_id(product_id: str, pointer: str = "/path/product_id") -> str:
    if is_product_id(product_id):
        return product_id
    detail = f"A product id has 1 to {MAX_ID} printable characters and no slash."
    raise Invalid(detail, code="bad_product_id", flaws=(Flaw(pointer, "bad_product_id", detail),))


def draft(
    caller: Caller,
    product_id: str,
    body: ProductBody,
    files: Sequence[bytes] = (),
    *,
    pointer: str = "",
    fetched: Fetched | None = None,
) -> Draft:
    """Reads and checks everything that can be checked without writing.

    `fetched` are the pictures that several products of a request name by URL.
    """
    attributes = read_attributes(body.attributes(), pointer)
    known = pictures.fetched(caller.ports, body.images) if fetched is None else fetched
    named = [
        pictures.from_body(caller.ports, caller.tenant, picture, f"{pointer}/images/{i}", known)
        for i, picture in enumerate(body.images)
    ]
    sent = [pictures.from_file(data, f"/files/{i}") for i, data in enumerate(files)]
    shown = tuple({picture.sha256: picture for picture in (*named, *sent)}.values())
    if not 1 <= len(shown) <= MAX_IMAGES:
        detail = f"A product has 1 to {MAX_IMAGES} pictures; to change the rest alone, use PATCH."
        flaw = Flaw(f"{pointer}/images", "bad_picture_count", detail)
        raise Invalid(detail, code="bad_picture_count", flaws=(flaw,))
    return Draft(checked_id(product_id), attributes, shown)


def put(
    caller: Caller, wanted: Draft, conditions_: Conditions, *, within: float = 0.0
) -> WrittenView:
    """One product; see `write`."""
    if_version = _if_version(caller, wanted.product_id, conditions_)
    single = Draft(wanted.product_id, wanted.attributes, wanted.pictures, if_version)
    outcome = accepted(write(caller, [single])[0])
    return written(caller, outcome, within=within)


def write(caller: Caller, drafts: Sequence[Draft]) -> list[Result]:
    """In order, one result each; one that fails stops no other. Rings when something changed."""
    results = _attempt(caller, drafts)
    late = [i for i, result in enumerate(results) if _is_late(result)]
    # a write that was overtaken by its deadline asks again which targets there are
    for i, result in zip(late, _attempt(caller, [drafts[i] for i in late]), strict=True):
        results[i] = result
    return results


def patch(
    caller: Caller,
    product_id: str,
    changes: Mapping[str, object],
    *,
    if_match: str | None = None,
    pointer: str = "",
    within: float = 0.0,
) -> WrittenView:
    """Attributes only, guarded by the revision that was read and tried again when it moved."""
    for _ in range(_PATCH_TRIES):
        product = _there(caller, product_id)
        _check_match(product, if_match)
        fresh = caller.ports.targets.fresh(caller.tenant)
        outcome = caller.ports.catalogue.products.patch(
            caller.tenant,
            product_id,
            revision=product.revision,
            attributes=merged(product.attributes, changes, pointer),
            targets=fresh.names,
            not_after=fresh.not_after,
        )
        if outcome.status not in ("mismatch", "late"):
            ring_for(caller.ports, caller.tenant, [_shown(accepted(outcome))], {})
            return written(caller, outcome, within=within)
    raise Unavailable(f"The product {product_id!r} changes too quickly; try again.")


def delete(caller: Caller, product_id: str, if_match: str | None) -> Product:
    """The tombstone; answers stop showing the product with this very write."""
    product = _there(caller, product_id)
    version = product.version if if_match == conditions.ANY else _match_version(if_match)
    outcome = _entomb(caller, product_id, version)
    if outcome.status == "late":
        outcome = _entomb(caller, product_id, version)
    tombstone = _shown(accepted(outcome))
    ring_for(caller.ports, caller.tenant, [tombstone], {})
    return product


def _entomb(caller: Caller, product_id: str, if_version: int | None) -> Outcome:
    fresh = caller.ports.targets.fresh(caller.tenant)
    return caller.ports.catalogue.products.delete(
        caller.tenant,
        product_id,
        targets=fresh.names,
        not_after=fresh.not_after,
        if_version=if_version,
    )


def get(caller: Caller, product_id: str) -> Product:
    return _there(caller, product_id)


def view(caller: Caller, product: Product) -> ProductView:
    attributes = {k: v for k, v in asdict(product.attributes).items() if k != "custom"}
    return ProductView(
        product_id=product.product_id,
        **attributes,
        custom=product.attributes.custom,
        images=picture_views(caller, product),
        version=product.version,
        updated_at=stamp(product.written),
    )


def picture_views(caller: Caller, product: Product) -> list[PictureView]:
    images = caller.ports.catalogue.images.get(caller.tenant, product.images)
    return [_picture_view(caller, sha, images.get(sha)) for sha in product.images]


def picture_url(caller: Caller, sha256: str, size: Literal["thumb", "full"], now: int) -> str:
    return signed_path(caller.ports.image_secret, caller.tenant, sha256, size, now=now)


def presence_path(product_id: str) -> str:
    return f"/v1/products/{quote(product_id, safe='')}/presence"


def written(caller: Caller, outcome: Outcome, *, within: float = 0.0) -> WrittenView:
    """What to tell the writer; with `within`, after having waited for the product to be found."""
    product = _shown(outcome)
    state: State = "pending"
    reason: str | None = None
    if within > 0 or not product.pending:
        seen = presence(caller.ports, caller.tenant, product.product_id, within=within)
        state, reason = seen.state, seen.reason
    return WrittenView(
        product_id=product.product_id,
        status=cast("Literal['created', 'changed', 'unchanged']", outcome.status),
        version=product.version,
        state=state,
        images=product.images,
        presence=presence_path(product.product_id),
        reason=reason,
    )


def status_of(view: WrittenView) -> int:
    """200 once nothing is left to happen, else 202."""
    over = view.state in ("searchable", "rejected") or view.status == "unchanged"
    return 200 if over else 202


def accepted(result: Result) -> Outcome:
    """The outcome of a write that was taken; raises what stood in its way."""
    if isinstance(result, LookalikeError):
        raise result
    if result.accepted:
        return result
    match result.status:
        case "mismatch":
            raise Stale("The product is at another version: read it again, then write.")
        case "missing":
            raise NotFound("There is no such product.")
        case "superseded":
            raise Conflict("Somebody newer wrote this product.", code="superseded")
        case _:
            raise Unavailable("The write took too long; try again.")


def _attempt(caller: Caller, drafts: Sequence[Draft]) -> list[Result]:
    ports, tenant = caller.ports, caller.tenant
    fresh = ports.targets.fresh(tenant)
    wanted = itertools.chain.from_iterable(one.pictures for one in drafts)
    images = pictures.store(ports, tenant, wanted, fresh.not_after)
    flawed = [_lacking(one, images) for one in drafts]
    writes = [
        ProductWrite(
            tenant=tenant,
            product_id=one.product_id,
            attributes=one.attributes,
            images=tuple(picture.sha256 for picture in one.pictures),
            targets=fresh.names,
            not_after=fresh.not_after,
            urgent=True,
            if_version=one.if_version,
        )
        for one, flaw in zip(drafts, flawed, strict=True)
        if flaw is None
    ]
    outcomes = iter(ports.catalogue.products.upsert(writes) if writes else ())
    results: list[Result] = [flaw or next(outcomes) for flaw in flawed]
    _ring(caller, results, images)
    return results


def _ring(caller: Caller, results: Sequence[Result], images: Mapping[str, Image]) -> None:
    waiting = [
        result.product
        for result in results
        if isinstance(result, Outcome) and result.accepted and result.product is not None
        if result.product.pending
    ]
    if waiting:
        shown = {sha for product in waiting for sha in product.images}
        held = {sha: image for sha, image in images.items() if sha in shown}
        ring_for(caller.ports, caller.tenant, waiting, held)


def _lacking(wanted: Draft, images: Mapping[str, Image]) -> LookalikeError | None:
    """Why a draft cannot be written: a picture is not stored."""
    for picture in wanted.pictures:
        if picture.sha256 not in images:
            if picture.data is not None:
                return _Late("Storing the pictures took too long; try again.")
            detail = f"No picture {picture.sha256[:64]!r} is stored here: send its bytes."
            flaw = Flaw(picture.pointer, "no_such_picture", detail)
            return Invalid(detail, code="no_such_picture", flaws=(flaw,))
    return None


class _Late(Unavailable):
    """An image document was refused because its deadline had passed."""


def _is_late(result: Result) -> bool:
    return isinstance(result, _Late) or (isinstance(result, Outcome) and result.status == "late")


def _there(caller: Caller, product_id: str) -> Product:
    found = caller.ports.catalogue.products.get(caller.tenant, [checked_id(product_id)])
    product = found.get(product_id)
    if product is None or product.deleted:
        raise NotFound(f"There is no product {product_id!r}.")
    return product


def _if_version(caller: Caller, product_id: str, wanted: Conditions) -> int | None:
    if wanted.if_none_match is not None:
        if wanted.if_none_match.strip() != conditions.ANY:
            detail = "If-None-Match on a write takes * alone."
            raise Invalid(detail, flaws=(Flaw("/header/if-none-match", "bad_etag", detail),))
        return 0
    if wanted.if_match == conditions.ANY:
        found = caller.ports.catalogue.products.get(caller.tenant, [product_id])
        if product_id not in found or found[product_id].deleted:
            raise Stale(f"There is no product {product_id!r} to write over.")
        return found[product_id].version
    return _match_version(wanted.if_match)


def _match_version(if_match: str | None) -> int | None:
    return None if if_match is None else conditions.version_of(if_match)


def _check_match(product: Product, if_match: str | None) -> None:
    if if_match in (None, conditions.ANY):
        return
    if conditions.version_of(str(if_match)) != product.version:
        raise Stale(f"The product is at version {product.version}: read it again, then write.")


def _shown(outcome: Outcome) -> Product:
    if outcome.product is None:
        raise NotFound("There is no such product.")
    return outcome.product


def _picture_view(caller: Caller, sha256: str, image: Image | None) -> PictureView:
    now = caller.ports.catalogue.now()
    return PictureView(
        sha256=sha256,
        media_type=image.media_type if image else None,
        width=image.width if image else None,
        height=image.height if image else None,
        thumbnail_url=picture_url(caller, sha256, "thumb", now),
        url=picture_url(caller, sha256, "full", now),
    )
