"""What blobs are called; every name starts with the tenant.

Keys of bytes hold a fresh ULID, so that no key is ever used twice: a delete that comes late cannot
take away what was written after it, and a document that names a blob names these very bytes.
"""

# rule: blob_key_once

from typing import Final

from shared.errors import Invalid
from shared.ids import ulid

MAX_KEY_BYTES: Final = 1_000
MAX_PART_BYTES: Final = 200


def tenant_folder(tenant: str) -> str:
    """The prefix of everything that a tenant has."""
    return checked(f"tenants/{tenant}") + "/"


def picture(tenant: str, sha256: str) -> str:
    """One uploaded picture. Spread over 256 folders, for file systems that list slowly."""
    return checked(f"tenants/{tenant}/pictures/{sha256[:2]}/{sha256}-{ulid()}")


def pack(tenant: str, import_id: str, chunk: int, attempt: int) -> str:
    """What one attempt at a chunk of an import brought in."""
    return checked(f"{packs_of_chunk(tenant, import_id, chunk)}{attempt}-{ulid()}")


def pack_folder(tenant: str, import_id: str) -> str:
    """The prefix of all packs of an import, and so of the places of the pictures it brought."""
    return checked(f"tenants/{tenant}/packs/{import_id}") + "/"


def staged(tenant: str, import_id: str) -> str:
    """A source copied into records that lie one after the other, for as long as it is imported."""
    return checked(f"tenants/{tenant}/staged/{import_id}/{ulid()}")


def report(tenant: str, import_id: str, suffix: str = "jsonl") -> str:
    """What an import found out about itself; never swept but with the tenant."""
    return checked(f"tenants/{tenant}/reports/{import_id}/{ulid()}.{suffix}")


def checkpoints_folder(tenant: str, job_id: str) -> str:
    """The prefix of what a training saved on its way; goes with its end."""
    return checked(f"tenants/{tenant}/trainings/{job_id}") + "/"


def checkpoint(tenant: str, job_id: str) -> str:
    """An archive of what a training needs to go on."""
    return checked(f"{checkpoints_folder(tenant, job_id)}{ulid()}.tar")


def packs_of_chunk(tenant: str, import_id: str, chunk: int) -> str:
    """The prefix of what any attempt at a chunk brought in."""
    return f"{pack_folder(tenant, import_id)}{chunk:08d}-"


def thumbnail(tenant: str) -> str:
    """The thumbnails of one batch of pictures."""
    return checked(f"tenants/{tenant}/thumbnails/{ulid()}")


def model(tenant: str, sha256: str) -> str:
    """The archive of a registered model."""
    return checked(f"tenants/{tenant}/models/{sha256}-{ulid()}")


def upload(tenant: str, upload_id: str) -> str:
    """Bytes that wait for a purpose."""
    return checked(f"tenants/{tenant}/uploads/{upload_id}-{ulid()}")


def shard_folder(tenant: str, index: str, shard: int) -> str:
    """The prefix of everything that a shard has."""
    return checked(f"tenants/{tenant}/indexes/{index}/shard-{shard}") + "/"


def manifest(tenant: str, index: str, shard: int, generation: int) -> str:
    """One try at a generation: of two that race for it, each writes its own."""
    return checked(f"{shard_folder(tenant, index, shard)}manifest-{generation}-{ulid()}.json")


def segment_file(tenant: str, index: str, shard: int, name: str) -> str:
    """A file of a segment; `name` is `seg-{ulid}.{kind}` with a ULID that is fresh."""
    return checked(f"{shard_folder(tenant, index, shard)}{name}")


def checked(key: str) -> str:
    """The key itself, if it is a relative path that stays where it belongs on every store."""
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise _bad(key, "it is a relative path without empty, `.` or `..` parts")
    if any(part.startswith(".") for part in parts):
        raise _bad(key, "no part begins with a dot: such names are for files not finished yet")
    if not key.isprintable() or not key.isascii() or "\\" in key:
        raise _bad(key, "it is printable ASCII without backslashes")
    if len(key) > MAX_KEY_BYTES or any(len(part) > MAX_PART_BYTES for part in parts):
        raise _bad(key, f"it has at most {MAX_KEY_BYTES} bytes, a part {MAX_PART_BYTES}")
    return key


def _bad(key: str, rule: str) -> Invalid:
    return Invalid(f"{key[:100]!r} is no blob key: {rule}.", code="bad_blob_key")
