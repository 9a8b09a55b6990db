"""Files to import: an upload, or a file on the server under an allowed folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.gateway import uploads
from services.gateway.keys import Caller
from services.gateway.schemas.jobs import SourceBody
from shared.errors import Flaw, Invalid, TooLarge

MAX_CATEGORY_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is what an import document calls it: a blob key, or `file:` and a path."""

    name: str
    size: int


def find(caller: Caller, body: SourceBody, pointer: str) -> Source:
    if body.path is not None:
        path = _allowed(caller, body.path, f"{pointer}/path")
        return Source(f"file:{path}", path.stat().st_size)
    name = str(body.upload_id)
    upload = uploads.whole(caller.ports, caller.tenant, name, f"{pointer}/upload_id")
    if len(upload.parts) == 1:
        return Source(upload.parts[0].blob, upload.received)
    return Source(f"upload:{upload.upload_id}", upload.received)


def text(caller: Caller, body: SourceBody, pointer: str) -> str:
    """A small file whole, as UTF-8."""
    source = find(caller, body, pointer)
    if source.size > MAX_CATEGORY_BYTES:
        raise TooLarge(f"The category file has more than {MAX_CATEGORY_BYTES:,} bytes.")
    if source.name.startswith("file:"):
        data = Path(source.name.removeprefix("file:")).read_bytes()
    else:
        data = caller.ports.blobs.read(source.name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(pointer, "bad_text", f"The file is no UTF-8 text: {error}.") from error


def _allowed(caller: Caller, name: str, pointer: str) -> Path:
    """The file after every link was followed, if it lies under an allowed folder.

    What lies elsewhere and what is not there are told apart by nobody.
    """
    roots = [root.resolve() for root in caller.ports.import_roots]
    if not roots:
        detail = "No server folder is open to imports; upload the file (POST /v1/uploads)."
        raise _wrong(pointer, "paths_off", detail)
    try:
        path = Path(name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        path = None
    if path is None or not path.is_file() or not any(path.is_relative_to(r) for r in roots):
        detail = f"There is no file {name[:200]!r} under the folders that imports may read."
        raise _wrong(pointer, "no_such_file", detail)
    return path


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, flaws=(Flaw(pointer, code, detail),))
