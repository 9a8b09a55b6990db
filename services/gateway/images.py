"""Picture bytes on their way out."""

from dataclasses import dataclass

from services.gateway import signing
from services.gateway.ports import Ports
from services.gateway.signing import Size
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class Bytes:
    data: bytes
    media_type: str


def read(ports: Ports, tenant: str, sha256: str, size: Size) -> Bytes:
    """The original, or its thumbnail; originals that small, or not decoded yet, are their own."""
    image = ports.catalogue.images.get(tenant, [sha256]).get(sha256)
    if image is None:
        raise NotFound(f"There is no picture {sha256[:64]!r}.")
    small = image.thumbnail if size == "thumb" else None
    place, media_type = (image.place, image.media_type) if small is None else (small, "image/jpeg")
    return Bytes(ports.blobs.read(place.blob, place.offset, place.length), media_type)


def check_signed(
    ports: Ports, tenant: str, sha256: str, size: Size, *, expires: int, signature: str
) -> str:
    """The tenant of a URL that was signed here and is not over."""
    signing.check(
        ports.image_secret,
        tenant,
        sha256,
        size,
        expires=expires,
        signature=signature,
        now=ports.catalogue.now(),
    )
    return tenant
