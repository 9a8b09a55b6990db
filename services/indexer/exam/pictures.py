"""Small pictures of photos that a catalogue has, for reports."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shared.blobs.port import Blobs
from shared.catalogue.port import Catalogue
from shared.errors import NotFound
from shared.images import Image

_AT_ONCE: Final = 100


def thumbnails(
    catalogue: Catalogue, blobs: Blobs, tenant: str, sha256s: Sequence[str]
) -> dict[str, bytes]:
    """By sha256; a photo whose bytes went meanwhile is left out."""
    found: dict[str, bytes] = {}
    for start in range(0, len(sha256s), _AT_ONCE):
        images = catalogue.images.get(tenant, sha256s[start : start + _AT_ONCE])
        found.update(_read(blobs, images.values()))
    return found


def _read(blobs: Blobs, images: Iterable[Image]) -> Iterator[tuple[str, bytes]]:
    for image in images:
        # a picture without a thumbnail is one already
        place = image.thumbnail or image.place
        try:
            yield image.sha256, blobs.read(place.blob, place.offset, place.length)
        except NotFound:
            continue
