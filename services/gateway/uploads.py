"""Bytes that arrive before they have a purpose: a picture, or a file to import."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastapi import Response

from services.gateway.answers import answer
from services.gateway.idempotency import is_replay, once
from services.gateway.keys import Caller
from services.gateway.ports import Ports
from services.gateway.schemas.uploads import UploadView
from shared.blobs import keys
from shared.catalogue.office import Part, Upload
from shared.errors import Conflict, Flaw, Invalid, LookalikeError, NotFound, TooLarge
from shared.ids import new_id
from shared.images import MAX_PICTURE_BYTES
from shared.pictures import sniff

_HEAD = 12
_PLAIN = "application/octet-stream"
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(slots=True)
class _Tally:
    """What passed on its way to the store; the beginning is kept while it may be a picture."""

    size: int
    digest: "hashlib._Hash"
    head: bytearray
    picture: bool


def receive(caller: Caller, body: Iterator[bytes], declared: str) -> Upload:
    """Counted, hashed and, if it is a picture, header-checked on the way to the blob store."""
    upload_id, now = new_id("upl"), caller.ports.catalogue.now()
    blob = keys.upload(caller.tenant, upload_id)
    tally = _Tally(0, hashlib.sha256(), bytearray(), picture=declared.startswith("image/"))
    with caller.ports.blobs.writer(blob) as writer:
        for chunk in body:
            writer.write(_counted(tally, chunk))
        media_type = sniff(bytes(tally.head)).media_type if tally.picture else declared or _PLAIN
        if tally.size == 0:
            raise Invalid("The body is empty: send the bytes themselves.", code="empty_body")
    upload = Upload(
        upload_id=upload_id,
        tenant=caller.tenant,
        parts=(Part(blob, tally.size),),
        size=tally.size,
        sha256=tally.digest.hexdigest(),
        media_type=media_type,
        created=now,
        touched=now,
    )
    caller.ports.catalogue.office.put_upload(upload)
    return upload


def receive_once(
    caller: Caller, body: Iterator[bytes], declared: str, idempotency_key: str | None
) -> Response:
    """The answer to an upload; bytes that a repeated request brought are dropped again."""
    upload = receive(caller, body, declared)
    try:
        response = once(
            caller,
            "POST /v1/uploads",
            idempotency_key,
            str(upload.sha256),
            lambda: created(upload),
        )
    except LookalikeError:
        discard(caller, upload)
        raise
    if is_replay(response):
        discard(caller, upload)
    return response


def created(upload: Upload, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    return answer(view(upload), 201, {"Location": f"/v1/uploads/{upload.upload_id}", **headers})


def find(caller: Caller, upload_id: str) -> Upload:
    upload = caller.ports.catalogue.office.upload(caller.tenant, upload_id)
    if upload is None:
        raise NotFound(f"There is no upload {upload_id!r}.")
    return upload


def whole(ports: Ports, tenant: str, upload_id: str, pointer: str) -> Upload:
    """One that a body names and whose last byte has arrived."""
    upload = ports.catalogue.office.upload(tenant, upload_id)
    if upload is None:
        raise _wrong(pointer, "no_such_upload", f"There is no upload {upload_id!r}.")
    if not upload.complete:
        size = "an unknown number" if upload.size is None else f"{upload.size:,}"
        detail = (
            f"The upload {upload_id} has {upload.received:,} of {size} bytes: send the rest "
            f"(PATCH /v1/uploads/{upload_id} with Upload-Offset: {upload.received}) first."
        )
        raise _wrong(pointer, "incomplete_upload", detail)
    return upload


def remove(caller: Caller, upload_id: str) -> None:
    """Refused while an import is still to read it."""
    upload = find(caller, upload_id)
    names = {f"upload:{upload_id}", *(part.blob for part in upload.parts)}
    for imp in caller.ports.catalogue.imports.unfinished():
        if imp.source in names:
            raise Conflict(
                f"The import {imp.import_id} reads the upload {upload_id}: cancel it first.",
                code="upload_in_use",
            )
    discard(caller, upload)


def discard(caller: Caller, upload: Upload) -> None:
    """The document first: an upload without bytes would promise too much."""
    caller.ports.catalogue.office.drop_upload(upload.upload_id)
    with contextlib.suppress(LookalikeError):  # the sweeper tries again
        for part in upload.parts:
            if not caller.ports.catalogue.images.names_blob(part.blob):
                caller.ports.blobs.delete(part.blob)


def view(upload: Upload) -> UploadView:
    return UploadView(
        upload_id=upload.upload_id,
        sha256=upload.sha256,
        size=upload.size,
        received=upload.received,
        media_type=upload.media_type,
    )


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, flaws=(Flaw(pointer, code, detail),))


def _counted(tally: _Tally, chunk: bytes) -> bytes:
    begins = tally.size < _HEAD
    tally.size += len(chunk)
    tally.digest.update(chunk)
    if begins or tally.picture:
        tally.head += chunk
    if begins and _is_picture(bytes(tally.head[:_HEAD])):
        tally.picture = True
    if tally.picture and tally.size > MAX_PICTURE_BYTES:
        raise TooLarge(f"A picture has at most {MAX_PICTURE_BYTES:,} bytes.")
    return chunk


def _is_picture(head: bytes) -> bool:
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    )
