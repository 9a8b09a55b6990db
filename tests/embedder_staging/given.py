"""Sources made of bytes, and what was staged of one read back."""

from pathlib import Path
from typing import Any

import bson

from services.embedder.staging.documents import Ranged
from services.embedder.staging.stage import Staged, StagedFormat, stage


def ranged(data: bytes, at_most: int = 1 << 30) -> Ranged:
    """Positioned reads of which each brings so many bytes at most, as a file may."""
    return Ranged(lambda offset, length: data[offset : offset + min(length, at_most)], len(data))


def staged(
    format_: StagedFormat, source: Ranged | Path, **asked: Any
) -> tuple[list[dict[str, Any]], Staged]:
    """The documents as a reader of BSON finds them, and the report."""
    blob = bytearray()
    report = stage(format_, source, blob.extend, **asked)
    documents: list[dict[str, Any]] = bson.decode_all(bytes(blob))
    assert (report.records, report.size) == (len(documents), len(blob))
    if format_ == "parquet":
        assert [one.pop("_row") for one in documents] == list(range(1, len(documents) + 1))
    return documents, report
