"""A record of a file as a product to be written, or as the reason why not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.embedder.ports import Ports
from shared.attributes import read_attributes
from shared.errors import Invalid
from shared.images import sha256_of
from shared.jobs import DeadLetter, Import
from shared.products import Attributes
from shared.sources.records import BadRecord, Record

_FIELDS: Final = (
    "title",
    "brand",
    "category",
    "price",
    "currency",
    "in_stock",
    "tags",
    "url",
    "custom",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A product as its record has it; pictures by their SHA-256, in order, each once."""

    offset: int
    product_id: str
    attributes: Attributes
    pictures: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Read:
    """What a range holds: products, the bad records, and how many a later record replaces."""

    drafts: Sequence[Draft]
    bad: Sequence[BadRecord]
    duplicates: int


def read_records(job: Import, records: Iterable[Record | BadRecord]) -> Read:
    """Of two records of a range with one id the later one counts, as it does between ranges."""
    drafts: dict[str, Draft] = {}
    bad: list[BadRecord] = []
    duplicates = 0
    for record in records:
        read = _draft(job, record) if isinstance(record, Record) else record
        if isinstance(read, BadRecord):
            bad.append(read)
        else:
            duplicates += read.product_id in drafts
            drafts[read.product_id] = read
    return Read(tuple(drafts.values()), bad, duplicates)


def dead_record(ports: Ports, job: Import, bad: BadRecord) -> None:
    ports.catalogue.dead.put(
        DeadLetter(
            key=f"record/{job.import_id}/{bad.offset:015d}",
            tenant=job.tenant,
            kind="record",
            code=bad.code,
            detail=bad.detail,
            first_seen=ports.catalogue.now(),
            source=(job.import_id, bad.offset),
        )
    )


def _draft(job: Import, record: Record) -> Draft | BadRecord:
    """Fields that a product does not have are left out: files carry more than shops need."""
    said = {name: record.fields[name] for name in _FIELDS if name in record.fields}
    try:
        attributes = read_attributes({"category": _category(job, record), **said})
    except Invalid as error:
        return BadRecord(record.offset, error.kind, f"Product {record.product_id}: {error.detail}")
    pictures = {sha256_of(picture): picture for picture in record.held}
    return Draft(record.offset, record.product_id, attributes, pictures)


def _category(job: Import, record: Record) -> tuple[str, ...]:
    """An id without a name is its own name."""
    if record.category_id is None:
        return ()
    return job.categories.get(record.category_id, (str(record.category_id),))
