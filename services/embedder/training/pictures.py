"""Photos to learn from, out of folders or out of a catalogue; which of them teach, and which judge."""

import heapq
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from services.embedder.decode import Pixels, decode
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import Invalid, NotFound, Undecodable
from shared.images import Place
from shared.products import Product
from shared.trainings import Pictures

MOST: Final = 200_000
"""Photos of a catalogue that are looked at, whole products by lot; more would not say more."""
FEWEST: Final = 4
"""Photos of a category that is learnt: fewer cannot both teach and judge."""
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_REFUSED: Final = frozenset({".avif", ".bmp", ".gif", ".heic", ".jfif", ".tif", ".tiff"})
"""Pictures too, most of them in formats that nobody here reads: they are told, not passed over."""
_PAGE: Final = 500
_HELD_OUT: Final = 2**32 // 5
HELD_OUT_LEAST: Final = 2

Path_ = tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Photo:
    """A picture of a product; its bytes are read when they are needed."""

    product: str
    category: str
    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, eq=False, slots=True)
class Split:
    """Whole products on one side or the other, always on the same."""

    taught: Sequence[Photo]
    held_out: Sequence[Photo]


def asked_for(
    asked: Pictures, catalogue: Catalogue | None, blobs: Blobs, tenant: str
) -> list[Photo]:
    """Of the folder that a request names, or of the catalogue."""
    if asked.folder is not None:
        return in_folders(Path(asked.folder))
    if catalogue is None:
        raise NotFound("There is no catalogue here to learn from: name a folder of pictures.")
    photos = of_catalogue(catalogue, blobs, tenant, since=asked.since, categories=asked.categories)
    if not photos:
        raise Invalid(
            "No product that is asked for has a category and a picture: give products a category, "
            "or name a folder of pictures.",
            code="no_pictures",
        )
    return photos


def in_folders(folder: Path) -> list[Photo]:
    """In sorted order: a category is the path of a folder, each picture a product of its own."""
    return [_in_folder(path, folder) for path in pictures_in(folder)]


def pictures_in(folder: Path) -> list[Path]:
    """Sorted, at any depth; raises where there are none."""
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _SUFFIXES | _REFUSED and path.is_file()
    ]
    if not found:
        raise Invalid(
            f"{folder} holds no pictures: put them into a folder for each category "
            f"({', '.join(sorted(_SUFFIXES))}).",
            code="no_pictures",
        )
    return found


def of_catalogue(
    catalogue: Catalogue,
    blobs: Blobs,
    tenant: str,
    *,
    since: int | None = None,
    categories: Collection[Path_] = (),
    most: int = MOST,
) -> list[Photo]:
    """By product and its order of pictures; those whose products `categorised` gives."""
    found = _pictured(catalogue, blobs, tenant, categorised(catalogue, tenant, since, categories))
    return sorted(heapq.nsmallest(most, found, key=lambda photo: lot(photo.product)), key=_order)


def categorised(
    catalogue: Catalogue,
    tenant: str,
    since: int | None = None,
    categories: Collection[Path_] = (),
) -> Iterator[list[Product]]:
    """A page at a time: products with a category, under one of `categories`, written since then."""
    after = ""
    while page := catalogue.products.page(tenant, after, _PAGE):
        after = page[-1].product_id
        yield [
            one
            for one in page
            if one.attributes.category
            and not one.deleted
            and (since is None or one.date.at >= since)
            and _under(one.attributes.category, categories)
        ]


def spelled(category: Path_) -> str:
    """A category's path in one line."""
    return " > ".join(category)


def lot(product: str) -> int:
    """Puts products in an order, 0 to 2**32, that has nothing to do with what they are."""
    return zlib.crc32(product.encode())


def enough(photos: Sequence[Photo], fewest: int = FEWEST) -> list[Photo]:
    """Those of categories that have as many photos; raises where they are not two."""
    counts = Counter(photo.category for photo in photos)
    if len(counts) == 1:
        raise one_category(photos)
    kept = {category for category, count in counts.items() if count >= fewest}
    if len(kept) < 2:
        raise Invalid(
            f"{len(kept)} of {len(counts)} categories have {fewest} photos or more, and it takes "
            "two: give more photos of a category, or products a coarser one.",
            code="too_few_categories",
        )
    return [photo for photo in photos if photo.category in kept]


def one_category(photos: Sequence[Photo]) -> Invalid:
    """For photos that nothing tells apart."""
    return Invalid(
        f"All {len(photos)} photos are of one category, {photos[0].category!r}: there is nothing "
        "to tell apart. Give a folder for each category, or products of several.",
        code="one_category",
    )


def split(photos: Sequence[Photo]) -> Split:
    """About a fifth is held out; of a category with four products or more, two at least and half at most."""
    products: defaultdict[str, set[str]] = defaultdict(set)
    for photo in photos:
        products[photo.category].add(photo.product)
    held_out = {product for inside in products.values() for product in _held_out(inside)}
    return Split(
        [photo for photo in photos if photo.product not in held_out],
        [photo for photo in photos if photo.product in held_out],
    )


def pixels_of(photo: Photo) -> Pixels | str:
    """Decoded as everywhere; or the sentence why it cannot be."""
    try:
        return decode(photo.read()).pixels
    except (Undecodable, Invalid, NotFound) as error:
        return error.detail
    except OSError as error:
        return f"The file cannot be read: {error.strerror}."


def _in_folder(path: Path, folder: Path) -> Photo:
    name = path.relative_to(folder)
    return Photo(name.as_posix(), name.parent.as_posix(), name.as_posix(), path.read_bytes)


def _pictured(
    catalogue: Catalogue, blobs: Blobs, tenant: str, pages: Iterator[list[Product]]
) -> Iterator[Photo]:
    for products in pages:
        shas = {sha for product in products for sha in product.images}
        images = catalogue.images.get(tenant, shas) if shas else {}
        for product in products:
            category = spelled(product.attributes.category)
            for sha in product.images:
                if sha in images:
                    read = partial(_bytes, blobs, images[sha].place)
                    yield Photo(product.product_id, category, sha, read)


def _bytes(blobs: Blobs, place: Place) -> bytes:
    return blobs.read(place.blob, place.offset, place.length)


def _under(category: Path_, wanted: Collection[Path_]) -> bool:
    return not wanted or any(category[: len(path)] == path for path in wanted)


def _order(photo: Photo) -> str:
    return photo.product


def _held_out(products: Collection[str]) -> list[str]:
    if len(products) < FEWEST:
        return []
    ordered = sorted(products, key=lot)
    fifth = sum(lot(product) < _HELD_OUT for product in ordered)
    return ordered[: min(max(HELD_OUT_LEAST, fifth), len(ordered) // 2)]
