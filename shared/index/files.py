"""Stored index files on this machine."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from shared.blobs.port import Blobs
from shared.errors import NotFound
from shared.index.damage import DamagedSegment
from shared.index.manifest import FileKind, FileRef, SegmentRef


def local(file: FileRef, blobs: Blobs) -> Path:
    """Where it can be mapped; a file that is missing or has another size is damage."""
    try:
        path = blobs.local(file.key)
        size = path.stat().st_size
    except (NotFound, FileNotFoundError) as error:
        raise DamagedSegment(f"{file.key} is missing; rebuild the shard.") from error
    if size != file.size:
        raise DamagedSegment(f"{file.key} has {size} bytes, not {file.size}; rebuild the shard.")
    return path


def paths_of(ref: SegmentRef, blobs: Blobs) -> Mapping[FileKind, Path]:
    """Where the files of a segment can be mapped."""
    return {file.kind: local(file, blobs) for file in ref.files}


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
