"""An exam's photos out of a catalogue: whole products by lot, with the vectors of every model asked."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.indexer.exam.photos import Judged, Taken, arranged, judged, lot
from shared.catalogue.port import Catalogue
from shared.errors import Conflict
from shared.products import Product
from shared.spaces import Spaces

MOST: Final = 100_000
"""Photos that are compared; with 448 numbers each, two models take some 450 MB with them."""
_LOTS: Final = 1 << 32
_PAGE: Final = 500
_HASHES: Final = 10_000

Codes = Mapping[str, bytes]
"""float16 by photo."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The same photos with the vectors of each model, in the order in which models were asked for."""

    judged: tuple[Judged, ...]
    notes: tuple[str, ...]


def gathered(
    catalogue: Catalogue,
    tenant: str,
    models: Sequence[Spaces],
    between: Callable[[int], object],
    most: int = MOST,
) -> Gathered:
    """Photos that have a vector of every model; `between` is told how many there are so far."""
    share = min(1.0, most / max(1, catalogue.images.count(tenant)))
    fingerprints = list(dict.fromkeys(spaces.fingerprint for spaces in models))
    codes: dict[str, dict[str, bytes]] = {fingerprint: {} for fingerprint in fingerprints}
    taken: dict[str, Taken] = {}
    lacking: set[str] = set()
    for products in _drawn(catalogue, tenant, share):
        shown = {sha: product for product in products for sha in product.images}.keys()
        fresh = shown - taken.keys() - lacking
        found = [catalogue.images.vectors(tenant, fresh, one) for one in fingerprints]
        whole = set.intersection(*(set(vectors) for vectors in found))
        lacking |= fresh - whole
        for fingerprint, vectors in zip(fingerprints, found, strict=True):
            codes[fingerprint].update((sha, vectors[sha]) for sha in whole)
        for product in products:
            for sha in product.images:
                if sha in whole and sha not in taken:
                    taken[sha] = _taken(product, sha)
        between(len(taken))
    if lacking and not taken:
        raise _foreign(fingerprints, len(lacking))
    hashes = _hashes(catalogue, tenant, taken.keys(), lambda: between(len(taken)))
    photos = arranged(
        Taken(one.name, one.product, one.category, one.title, hashes.get(one.name))
        for one in taken.values()
    )
    made = {
        one.fingerprint: judged(photos, one, codes.pop(one.fingerprint)) for one in _once(models)
    }
    return Gathered(tuple(made[one.fingerprint] for one in models), _notes(share, len(lacking)))


def _drawn(catalogue: Catalogue, tenant: str, share: float) -> Iterator[list[Product]]:
    """Products that are not deleted, a page at a time: all, or this share of them, always the same."""
    after = ""
    while page := catalogue.products.page(tenant, after, _PAGE):
        after = page[-1].product_id
        yield [one for one in page if not one.deleted and lot(one.product_id) <= share * _LOTS]


def _taken(product: Product, sha: str) -> Taken:
    attributes = product.attributes
    return Taken(sha, product.product_id, " > ".join(attributes.category), attributes.title)


def _hashes(
    catalogue: Catalogue, tenant: str, wanted: Collection[str], between: Callable[[], object]
) -> dict[str, str]:
    """Perceptual hashes of these photos, read in one walk over all, which leaves vectors alone."""
    found: dict[str, str] = {}
    after = ""
    while page := catalogue.images.hashes(tenant, after, _HASHES):
        after = page[-1][0]
        found.update((sha, phash) for sha, phash, _ in page if sha in wanted)
        between()
    return found


def _once(models: Sequence[Spaces]) -> list[Spaces]:
    return list({one.fingerprint: one for one in models}.values())


def _notes(share: float, lacking: int) -> tuple[str, ...]:
    notes = []
    if share < 1:
        notes.append(f"Of a large catalogue, {100 * share:.1f} % of the products are looked at.")
    if lacking:
        notes.append(f"{lacking:,} photos are left out: they lack a vector of one of the models.")
    return tuple(notes)


def _foreign(fingerprints: Sequence[str], lacking: int) -> Conflict:
    named = " and ".join(fingerprints)
    return Conflict(
        f"None of {lacking:,} photos has vectors of {named}: the catalogue was embedded by another "
        "model. Name indexes that are built, or embed the catalogue with this model first.",
        code="foreign_vectors",
    )
