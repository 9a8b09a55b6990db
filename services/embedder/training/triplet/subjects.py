"""What a ranking network is taught about: photos, which of them are new, and triplets if any are told."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from services.embedder.training.pictures import (
    Photo,
    categorised,
    in_folders,
    of_catalogue,
    one_category,
)
from services.embedder.training.triplet.forgetting import PAIRED_LEAST
from services.embedder.training.triplet.rows import Rows, among, enough, in_folder, read_triplets
from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import Invalid
from shared.products import Product
from shared.trainings import TripletRequest


@dataclass(frozen=True, eq=False)
class Subject:
    """`rows` name photos by their product; where they are None, pairs are mined."""

    photos: Sequence[Photo]
    fresh: frozenset[str] | None
    """Products that are new, where some are not."""
    rows: Rows | None

    def without(self, photos: Sequence[Photo]) -> "Subject":
        """Left with these photos; rows that name another are failures."""
        known = {photo.product for photo in photos}
        rows = self.rows and enough(among(self.rows, known, "a picture that cannot be read"))
        return replace(self, photos=photos, rows=rows)


def of_folder(request: TripletRequest) -> Subject:
    """Pictures by category, or those that the triplets name."""
    folder = Path(request.pictures.folder or ".")
    if request.triplets is None:
        return Subject(_told_apart(in_folders(folder)), None, None)
    rows = enough(in_folder(read_triplets(Path(request.triplets)), folder))
    names = sorted({name for row in rows.good for name in row.names})
    photos = [Photo(name, "", name, (folder / name).read_bytes) for name in names]
    return Subject(photos, None, rows)


def of_shop(request: TripletRequest, catalogue: Catalogue, blobs: Blobs, tenant: str) -> Subject:
    """Products with a category; triplets name them by their ids, and mean their first picture."""
    asked = request.pictures
    photos = of_catalogue(catalogue, blobs, tenant, categories=asked.categories)
    if not photos:
        raise Invalid("No product here has a category and a picture.", code="no_pictures")
    fresh = None
    if asked.since is not None:
        fresh = _created_since(asked.since, categorised(catalogue, tenant, None, asked.categories))
        if fresh.isdisjoint(photo.product for photo in photos):
            raise _nothing_new(asked.since)
    if request.triplets is None:
        return Subject(_told_apart(photos), fresh, None)
    firsts = {photo.product: photo for photo in reversed(photos)}
    what = "no product with a category and a picture"
    rows = enough(among(read_triplets(Path(request.triplets)), firsts, what))
    named = sorted({name for row in rows.good for name in row.names})
    return Subject([firsts[name] for name in named], fresh, rows)


def _told_apart(photos: Sequence[Photo]) -> Sequence[Photo]:
    """Photos of several categories, or of products enough that have several each; else it raises."""
    pictured = Counter(photo.product for photo in photos)
    several = sum(count > 1 for count in pictured.values())
    if several < PAIRED_LEAST and len({photo.category for photo in photos}) == 1:
        raise one_category(photos)
    return photos


def _nothing_new(since: int) -> Invalid:
    told = datetime.fromtimestamp(since / 1000, UTC).isoformat(" ", "seconds")
    return Invalid(
        f"No product with a category and a picture was created since {told}: name an earlier time.",
        code="nothing_new",
    )


def _created_since(since: int, pages: Iterable[Sequence[Product]]) -> frozenset[str]:
    """Revisions begin at the milliseconds of a product's creation and grow by ones from there.

    Its date would not do: a feed that names a product again, unchanged, dates it anew.
    """
    return frozenset(one.product_id for page in pages for one in page if one.revision >= since)
