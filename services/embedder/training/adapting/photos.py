"""Photos with their categories, from folders or from what a catalogue has embedded already."""

import heapq
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from services.embedder.offline import vectors_of
from services.embedder.training.nearest import Photos
from services.embedder.training.pictures import MOST, categorised, lot, pictures_in, spelled
from shared.catalogue.port import Catalogue
from shared.errors import Invalid
from shared.products import Product
from shared.seams.embedder import Embedder
from shared.spaces import Spaces
from shared.vectors import Floats, from_bytes

Photo = tuple[str, str, Floats]
"""Category, product, content vector."""


def in_folders(folder: Path, embedder: Embedder) -> tuple[Photos, list[str]]:
    """A category is a folder, each picture is a product; and what was unreadable, with why."""
    content = embedder.spaces.slices()["content"]
    found: list[Photo] = []
    unreadable: list[str] = []
    for name, vector in vectors_of(pictures_in(folder), embedder):
        if isinstance(vector, str):
            unreadable.append(f"{name}: {vector}")
        else:
            found.append((str(Path(name).parent), name, vector[content]))
    return _photos(found, embedder.spaces), unreadable


def in_catalogue(
    catalogue: Catalogue,
    tenant: str,
    spaces: Spaces,
    since: int | None = None,
    categories: Collection[tuple[str, ...]] = (),
) -> Photos:
    """Of the products that `categorised` gives: the photos that this model has embedded."""
    pages = categorised(catalogue, tenant, since, categories)
    embedded = _embedded(catalogue, tenant, spaces, pages)
    found = heapq.nsmallest(MOST, embedded, key=lambda photo: lot(photo[1]))
    if not found:
        raise Invalid(
            "No product that is asked for has a category and a photo that this model has embedded: "
            "give products a category, name the model that the catalogue is embedded by, or name a "
            "folder of pictures.",
            code="no_pictures",
        )
    return _photos(found, spaces)


def _embedded(
    catalogue: Catalogue, tenant: str, spaces: Spaces, pages: Iterator[list[Product]]
) -> Iterator[Photo]:
    content = spaces.slices()["content"]
    for told in pages:
        shas = {sha for product in told for sha in product.images}
        vectors = catalogue.images.vectors(tenant, shas, spaces.fingerprint) if shas else {}
        for product in told:
            for sha in product.images:
                if sha in vectors:
                    category = spelled(product.attributes.category)
                    yield category, product.product_id, from_bytes(vectors[sha])[content]


def _photos(found: Sequence[Photo], spaces: Spaces) -> Photos:
    dim = next(space.dim for space in spaces.spaces if space.name == "content")
    vectors = np.stack([vector for _, _, vector in found]) if found else np.empty((0, dim))
    return Photos(
        vectors.astype(np.float32),
        np.unique([category for category, _, _ in found], return_inverse=True)[1],
        np.unique([product for _, product, _ in found], return_inverse=True)[1],
    )
