"""An import's source, opened: what it is read with, where it lies, and what its fields mean."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.embedder.ports import Ports
from shared.errors import Invalid
from shared.jobs import Import
from shared.sources.formats import Format, dialect_of, format_of
from shared.sources.mapping import FieldMap, read_mapping
from shared.sources.records import Read

Categories = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Feed:
    """Positioned reads of a source, and the format that its bytes are in."""

    format: Format
    read: Read
    size: int


@contextmanager
def opened(ports: Ports, job: Import) -> Iterator[Feed]:
    """The source, or the copy of it that was staged; it must be as long as it was at the start."""
    name, size = job.read_from
    with ports.places.opened(job.tenant, name) as (read, found):
        if found != size:
            raise Invalid(
                f"The source had {size:,} bytes when the import began and has {found:,}: it was "
                "changed; start another import.",
                code="source_changed",
            )
        yield Feed(_format(job, read, size), read, size)


def mapping_of(job: Import) -> FieldMap:
    return read_mapping(job.options.mapping)


def categories_of(ports: Ports, job: Import) -> Categories:
    """The names of categories that came with the import; none where none came."""
    blob = job.options.categories
    return {} if blob is None else _categories(ports.blobs.read, blob)


@lru_cache(maxsize=8)
def _categories(read: Any, blob: str) -> Categories:
    """A blob is written once, so what it said it says for good."""
    named: dict[str, list[str]] = json.loads(read(blob))
    return {int(number): tuple(path) for number, path in named.items()}


def _format(job: Import, read: Read, size: int) -> Format:
    if job.format == "jsonl":
        return format_of("jsonl", {})
    if job.format == "csv":
        return format_of("csv", job.findings.get("dialect") or dialect_of("csv", read, size))
    return format_of("bson", {})
