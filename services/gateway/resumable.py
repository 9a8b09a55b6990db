"""Uploads that outlive a broken connection: what arrived stays, and the rest is appended to it."""

import contextlib
from collections.abc import Iterator
from itertools import chain
from typing import Final

from services.gateway.bodies import CutShort
from services.gateway.keys import Caller
from shared.blobs import keys
from shared.catalogue.office import Part, Upload
from shared.errors import Conflict, LookalikeError, TooLarge
from shared.ids import new_id

PART_BYTES: Final = 64 * 1024 * 1024
"""A long body becomes several parts, so that this much is lost at most when the gateway dies."""
MAX_PARTS: Final = 10_000
_MEDIA_TYPE: Final = "application/octet-stream"


def create(caller: Caller, size: int | None, metadata: str) -> Upload:
    """An upload without bytes; `size` is None where it will be declared later."""
    _refuse_too_long(caller, size)
    now = caller.ports.catalogue.now()
    upload = Upload(
        upload_id=new_id("upl"),
        tenant=caller.tenant,
        parts=(),
        size=size,
        sha256=None,
        media_type=_MEDIA_TYPE,
        created=now,
        touched=now,
        metadata=metadata,
    )
    caller.ports.catalogue.office.put_upload(upload)
    return upload


def declare(caller: Caller, upload: Upload, size: int) -> Upload:
    """The whole's size, deferred until now; it is said once."""
    _refuse_too_long(caller, size)
    declared = caller.ports.catalogue.office.declare_size(upload.upload_id, size)
    if declared is None:
        raise Conflict(
            f"The upload {upload.upload_id} cannot be {size:,} bytes long: another length was "
            "declared before, or more than that is here.",
            code="length_declared",
        )
    return declared


def room(caller: Caller, upload: Upload) -> int:
    """How many bytes may still come."""
    limit = caller.ports.settings.max_upload_bytes if upload.size is None else upload.size
    return limit - upload.received


def refuse_elsewhere(upload: Upload, offset: int) -> None:
    if offset != upload.received:
        raise _elsewhere(upload.upload_id, offset)


def append(caller: Caller, upload: Upload, body: Iterator[bytes]) -> int:
    """The offset after as much of the body as arrived, which may be less than its sender meant."""
    offset = upload.received
    for part in _parts(caller, upload, body):
        if caller.ports.catalogue.office.append_part(upload.upload_id, offset, part) is None:
            with contextlib.suppress(LookalikeError):  # the sweeper tries again
                caller.ports.blobs.delete(part.blob)
            raise _elsewhere(upload.upload_id, offset)
        offset += part.size
    return offset


def _parts(caller: Caller, upload: Upload, body: Iterator[bytes]) -> Iterator[Part]:
    """The body in blobs of its own, so that two senders never write into one."""
    arriving = _until_cut(body)
    for number, first in enumerate(arriving, len(upload.parts)):
        if number >= MAX_PARTS:
            raise TooLarge(
                f"The upload {upload.upload_id} came in {MAX_PARTS:,} pieces and is not done: "
                "begin again with larger ones.",
                code="too_many_parts",
            )
        blob, size = keys.upload(caller.tenant, upload.upload_id), 0
        with caller.ports.blobs.writer(blob) as writer:
            for chunk in chain((first,), arriving):
                writer.write(chunk)
                size += len(chunk)
                if size >= PART_BYTES:
                    break
        yield Part(blob, size)


def _until_cut(body: Iterator[bytes]) -> Iterator[bytes]:
    """A broken connection is an end like any other: its sender will ask how far it got."""
    with contextlib.suppress(CutShort):
        yield from body


def _refuse_too_long(caller: Caller, size: int | None) -> None:
    limit = caller.ports.settings.max_upload_bytes
    if size is not None and size > limit:
        raise TooLarge(f"An upload has at most {limit:,} bytes, and this would have {size:,}.")


def _elsewhere(upload_id: str, offset: int) -> Conflict:
    return Conflict(
        f"The upload {upload_id} does not end at {offset:,}: ask for its Upload-Offset "
        f"(HEAD /v1/uploads/{upload_id}) and go on from there.",
        code="wrong_offset",
    )
