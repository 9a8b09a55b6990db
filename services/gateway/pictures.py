"""Pictures on their way in: read from wherever the caller has them, checked, stored once."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.gateway import uploads
from services.gateway.ports import Ports
from services.gateway.schemas.products import PictureBody
from shared.blobs import keys
from shared.catalogue.images import ImageWrite
from shared.errors import Flaw, Invalid, LookalikeError, TooLarge
from shared.images import MAX_PICTURE_BYTES, Image, Place, sha256_of
from shared.pictures import sniff

FETCH_S: Final = 20.0

Fetched = Mapping[str, bytes | LookalikeError]
"""What became of each URL."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a product shall show; without `data` it must be there already."""

    sha256: str
    pointer: str
    data: bytes | None = None
    blob: str | None = None
    """Where the bytes lie already, if they came as an upload."""


def from_file(data: bytes, pointer: str) -> Picture:
    """A picture whose bytes came with the request; refused unless its header is fine."""
    try:
        sniff(data)
    except LookalikeError as error:
        raise _pointed(error, pointer) from error
    return Picture(sha256_of(data), pointer, data)


def fetched(ports: Ports, bodies: Iterable[PictureBody]) -> Fetched:
    """All pictures that a request names by URL, within one budget of time and of bytes."""
    urls = [body.url for body in bodies if body.url is not None]
    if ports.fetcher is None:
        return dict.fromkeys(urls, _OFF)
    return ports.fetcher.fetch_many(urls, FETCH_S, ports.settings.max_form_bytes)


_OFF: Final = Invalid(
    "URL fetching is off here: send the picture itself, as a file, base64 or upload.",
    code="url_fetching_off",
)


def from_body(
    ports: Ports, tenant: str, body: PictureBody, pointer: str, known: Fetched
) -> Picture:
    """A picture as a JSON body names it."""
    value, pointer = str(body.value), f"{pointer}/{body.source}"
    match body.source:
        case "base64":
            return from_file(_decoded(value, pointer), pointer)
        case "sha256":
            return Picture(value, pointer)
        case "upload_id":
            return _uploaded(ports, tenant, value, pointer)
        case "url":
            outcome = known[value]
            if isinstance(outcome, LookalikeError):
                raise _pointed(outcome, pointer) from outcome
            return from_file(outcome, pointer)


def store(
    ports: Ports, tenant: str, pictures: Iterable[Picture], not_after: int
) -> dict[str, Image]:
    """The documents of all that are stored now; the same bytes are stored once."""
    wanted = {picture.sha256: picture for picture in pictures}
    # rule: touch_tests
    there = ports.catalogue.images.touch(tenant, wanted.keys())
    missing = [p for sha, p in wanted.items() if sha not in there and p.data is not None]
    return {**there, **_put(ports, tenant, missing, not_after)}


def _put(
    ports: Ports, tenant: str, pictures: Sequence[Picture], not_after: int
) -> Mapping[str, Image]:
    writes = [_written(ports, tenant, picture, not_after) for picture in pictures]
    images = ports.catalogue.images.put(writes) if writes else []
    for picture, write, image in zip(pictures, writes, images, strict=True):
        lost = image is None or image.place != write.place
        if lost and picture.blob is None:
            # somebody else stored the same picture meanwhile, and their bytes are the ones named
            ports.blobs.delete(write.place.blob)
    return {image.sha256: image for image in images if image is not None}


def _written(ports: Ports, tenant: str, picture: Picture, not_after: int) -> ImageWrite:
    data = picture.data or b""
    header = sniff(data)
    blob = picture.blob
    if blob is None:
        # rule: blob_key_once
        blob = keys.picture(tenant, picture.sha256)
        ports.blobs.put(blob, data)
    return ImageWrite(
        tenant=tenant,
        sha256=picture.sha256,
        place=Place(blob, 0, len(data)),
        media_type=header.media_type,
        width=header.width,
        height=header.height,
        not_after=not_after,
    )


def _uploaded(ports: Ports, tenant: str, upload_id: str, pointer: str) -> Picture:
    upload = uploads.whole(ports, tenant, upload_id, pointer)
    if upload.received > MAX_PICTURE_BYTES:
        raise _pointed(TooLarge("The upload is too long for a picture."), pointer)
    data = b"".join(ports.blobs.read(part.blob) for part in upload.parts)
    blob = upload.parts[0].blob if len(upload.parts) == 1 else None
    return replace(from_file(data, pointer), blob=blob)


def _decoded(text: str, pointer: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(pointer, "bad_base64", f"The picture is no base64: {error}.") from error


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, flaws=(Flaw(pointer, code, detail),))


def _pointed(error: LookalikeError, pointer: str) -> LookalikeError:
    """The same error, saying which of the pictures it is about."""
    return type(error)(
        error.detail, code=error.kind, flaws=(Flaw(pointer, error.kind, error.detail),)
    )
