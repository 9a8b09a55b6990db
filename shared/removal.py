"""The end of a picture, or of a model: its document first, then the bytes that nothing names any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import Conflict
from shared.images import Image
from shared.models import RegisteredModel

REST_MS: Final = 10 * 60 * 1000
"""A write that relies on a touch has arrived by then, or is refused."""

SHOWN: Final = "Another product shows it."
TOUCHED: Final = (
    "It was uploaded or taken up less than ten minutes ago; "
    "the sweeper removes it a day after nothing shows it."
)
SHARED: Final = "Its blob holds other pictures too; the bytes go with the last of them."


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture whose bytes are still there, and why."""

    sha256: str
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a purge removed at once, and what is left to the sweeper."""

    removed: tuple[str, ...]
    later: tuple[Kept, ...]


def purge_images(
    catalogue: Catalogue, blobs: Blobs, tenant: str, sha256s: Iterable[str]
) -> Receipt:
    """Removes what nothing shows and nobody has touched within ten minutes; says what stays."""
    reasons = {sha: _purge(catalogue, blobs, tenant, sha) for sha in dict.fromkeys(sha256s)}
    return Receipt(
        removed=tuple(sha for sha, reason in reasons.items() if reason is None),
        later=tuple(Kept(sha, reason) for sha, reason in reasons.items() if reason is not None),
    )


def _purge(catalogue: Catalogue, blobs: Blobs, tenant: str, sha256: str) -> str | None:
    image = catalogue.images.get(tenant, [sha256]).get(sha256)
    if image is None:
        return None
    # rule: purge_waits
    if catalogue.now() - image.touched < REST_MS:
        return TOUCHED
    return remove_image(catalogue, blobs, image)


def remove_image(catalogue: Catalogue, blobs: Blobs, image: Image) -> str | None:
    """None when document and bytes are gone, else why not; `image` is as it was read before."""
    # rule: sweep_rechecks
    if catalogue.products.shown(image.tenant, image.sha256):
        return SHOWN
    # rule: sweep_untouched
    removed = catalogue.images.remove(
        image.tenant, image.sha256, touched=image.touched, doomed=image.doomed
    )
    if removed is None:
        return TOUCHED
    places = {place.blob for place in (removed.place, removed.thumbnail) if place is not None}
    shared = [blob for blob in sorted(places) if not _removed(catalogue, blobs, blob)]
    return SHARED if shared else None


def _removed(catalogue: Catalogue, blobs: Blobs, blob: str) -> bool:
    """Deletes a blob that no image names; a key is written once, so none will name it again."""
    if catalogue.images.names_blob(blob):
        return False
    blobs.delete(blob)
    return True


def remove_model(catalogue: Catalogue, blobs: Blobs, model: RegisteredModel) -> None:
    """Raises `Conflict` while an index, of whatever tenant, has its vectors."""
    for index in catalogue.indexes.all():
        if index.spaces.fingerprint == model.fingerprint:
            raise Conflict(
                f"The index {index.index_id} was made with {model.title}: drop it first.",
                code="model_in_use",
            )
    catalogue.models.remove(model.tenant, model.model_id)
    blobs.delete(model.archive)
