"""What nothing needs any more goes away: images, deleted products, blobs, uploads."""

from collections.abc import Collection, Iterator

from services.indexer.ports import DAY_MS, Ports
from shared.blobs.port import BlobInfo
from shared.images import Image
from shared.products import Product
from shared.removal import remove_image
from shared.trainings import TRAINING

PAGE = 500
PICTURE_FOLDERS = frozenset({"pictures", "packs", "thumbnails", "uploads", "staged", "models"})


def sweep_images(ports: Ports) -> int:
    """Dooms what nothing shows, removes what has been doomed for a day; how many were removed."""
    removed = 0
    for image in _images(ports):
        if image.doomed is None:
            if not ports.catalogue.products.shown(image.tenant, image.sha256):
                ports.catalogue.images.doom(image.tenant, image.sha256, touched=image.touched)
        elif ports.catalogue.now() - image.doomed > DAY_MS:
            # rule: sweep_untouched
            # rule: sweep_rechecks
            removed += remove_image(ports.catalogue, ports.blobs, image) is None
    return removed


def _images(ports: Ports) -> Iterator[Image]:
    after = ("", "")
    while page := ports.catalogue.images.page(after, PAGE):
        yield from page
        after = (page[-1].tenant, page[-1].sha256)


def sweep_tombstones(ports: Ports) -> int:
    """Removes deleted products that every target confirmed a day ago; how many."""
    removed, before = 0, ports.catalogue.now() - DAY_MS
    while True:
        # rule: tombstone_confirmed
        found = ports.catalogue.products.tombstones(before, PAGE)
        begun = [imp.created for imp in ports.catalogue.imports.unfinished()]
        gone = sum(_remove(ports, product, begun) for product in found)
        removed += gone
        # The oldest come first, and what an import holds is younger than what none holds.
        if gone < len(found) or not found:
            return removed


def _remove(ports: Ports, product: Product, begun: Collection[int]) -> bool:
    # rule: tombstone_outlives_imports
    if any(created < product.written for created in begun):
        return False
    # rule: removal_guarded
    return ports.catalogue.products.remove(
        product.tenant, product.product_id, revision=product.revision, written=product.written
    )


def sweep_blobs(ports: Ports) -> int:
    """Deletes blobs older than a day that no image, upload, import or model names; how many.

    Whoever stored one has named it within its write's deadline, or never will.
    """
    deleted = 0
    unfinished = ports.catalogue.imports.unfinished()
    sources = {name for imp in unfinished for name in (imp.source, imp.read_from[0])}
    for blob in ports.blobs.list("tenants/"):
        if _folder(blob) in PICTURE_FOLDERS and _orphaned(ports, blob, sources):
            ports.blobs.delete(blob.key)
            deleted += 1
    return deleted


def _folder(blob: BlobInfo) -> str | None:
    parts = blob.key.split("/")
    return parts[2] if len(parts) > 3 else None


def _orphaned(ports: Ports, blob: BlobInfo, sources: Collection[str]) -> bool:
    return (
        ports.catalogue.now() - blob.modified > DAY_MS
        and blob.key not in sources
        and not ports.catalogue.images.names_blob(blob.key)
        and not ports.catalogue.office.upload_names_blob(blob.key)
        and not ports.catalogue.models.names_blob(blob.key)
    )


def sweep_uploads(ports: Ports) -> int:
    """Drops uploads to which a day has added nothing, complete or not; their blobs go with a later sweep.

    What an unfinished import or training reads is left alone.
    """
    dropped, before = 0, ports.catalogue.now() - DAY_MS
    read = {imp.source for imp in ports.catalogue.imports.unfinished()}
    trainings = ports.catalogue.office.unfinished_jobs(TRAINING)
    read |= {job.progress["request"].get("triplets") for job in trainings}
    while True:
        found = ports.catalogue.office.uploads_before(before, PAGE)
        idle = [upload for upload in found if f"upload:{upload.upload_id}" not in read]
        for upload in idle:
            ports.catalogue.office.drop_upload(upload.upload_id)
        dropped += len(idle)
        # The oldest come first, and what imports hold is soon all that is left.
        if len(idle) < len(found) or not found:
            return dropped
