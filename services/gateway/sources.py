"""What an import is made from, as callers name it: an upload, or a place that the server may read."""

from typing import Final

from services.gateway.keys import Caller
from services.gateway.schemas.jobs import SourceBody
from shared.errors import Flaw, Invalid, NotFound, TooLarge
from shared.places import Source

MAX_CATEGORY_BYTES: Final = 32 * 1024 * 1024


def find(caller: Caller, body: SourceBody, pointer: str, *, folder: bool = False) -> Source:
    """A folder where `folder` is asked for, else something with bytes."""
    places = caller.ports.places
    field = "path" if body.path is not None else "upload_id"
    if body.path is None and folder:
        detail = "A folder is imported by its path on the server; an upload is one file."
        raise _wrong(f"{pointer}/upload_id", "no_folder", detail)
    try:
        if body.path is not None:
            return places.at_path(body.path, folder=folder)
        return places.of_upload(caller.tenant, str(body.upload_id))
    except (NotFound, Invalid) as error:
        raise _wrong(f"{pointer}/{field}", error.kind, error.detail) from error


def text(caller: Caller, body: SourceBody, pointer: str) -> str:
    """A small file whole, as UTF-8."""
    source = find(caller, body, pointer)
    if source.size > MAX_CATEGORY_BYTES:
        raise TooLarge(f"The category file has more than {MAX_CATEGORY_BYTES:,} bytes.")
    with caller.ports.places.opened(caller.tenant, source.name) as (read, size):
        data = read(0, size)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(pointer, "bad_text", f"The file is no UTF-8 text: {error}.") from error


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, flaws=(Flaw(pointer, code, detail),))
