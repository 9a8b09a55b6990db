"""An exam's photos out of a catalogue: whole products by lot, with the vectors of every model asked."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
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
    known = {spaces.fingerprint: spaces for spaces in models}
    basket = _Basket({fingerprint: {} for fingerprint in known})
    for products in _drawn(catalogue, tenant, share):
        between(len(basket.taken))
        basket.add(catalogue, tenant, products)
    taken = basket.taken
    if basket.lacking and not taken:
        raise _foreign(known, len(basket.lacking))
    hashes = _hashes(catalogue, tenant, taken.keys(), lambda: between(len(taken)))
    photos = arranged(replace(one, phash=hashes.get(one.name)) for one in taken.values())
    made = {one: judged(photos, spaces, basket.codes.pop(one)) for one, spaces in known.items()}
    notes = _notes(share, len(basket.lacking))
    return Gathered(tuple(made[spaces.fingerprint] for spaces in models), notes)


@dataclass(frozen=True, slots=True)
class _Basket:
    """What was found so far; `lacking` are photos without a vector of one of the models."""

    codes: dict[str, dict[str, bytes]]
    """float16 by fingerprint and photo."""
    taken: dict[str, Taken] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)

    def add(self, catalogue: Catalogue, tenant: str, products: Sequence[Product]) -> None:
        """Each photo with the first product that shows it."""
        shown = {sha for product in products for sha in product.images}
        fresh = shown - self.taken.keys() - self.lacking
        if not fresh:
            return
        found = {one: catalogue.images.vectors(tenant, fresh, one) for one in self.codes}
        whole = fresh.intersection(*found.values())
        self.lacking.update(fresh - whole)
        for fingerprint, vectors in found.items():
            self.codes[fingerprint].update((sha, vectors[sha]) for sha in whole)
        for product in products:
            for sha in product.images:
                if sha in whole:
                    self.taken.setdefault(sha, _taken(product, sha))


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


def _notes(share: float, lacking: int) -> tuple[str, ...]:
    notes = []
    if share < 1:
        notes.append(f"Of a large catalogue, {100 * share:.1f} % of the products are looked at.")
    if lacking:
        notes.append(f"{lacking:,} photos are left out: they lack a vector of one of the models.")
    return tuple(notes)


def _foreign(fingerprints: Collection[str], lacking: int) -> Conflict:
    named = " and ".join(fingerprints)
    return Conflict(
        f"None of {lacking:,} photos has vectors of {named}: the catalogue was embedded by another "
        "model. Name indexes that are built, or embed the catalogue with this model first.",
        code="foreign_vectors",
    )
