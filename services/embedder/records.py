"""The documents of a chunk as products to be written, or as the reasons why not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from services.embedder.sources import Categories
from shared.attributes import read_attributes
from shared.errors import Invalid
from shared.products import Attributes
from shared.sources.mapping import FieldMap
from shared.sources.records import BadRecord, Document, Named, Record


@dataclass(frozen=True, slots=True)
class Draft:
    """A product as its record has it."""

    offset: int
    product_id: str
    attributes: Attributes
    pictures: tuple[bytes | Named, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the documents of an import become products; `sample` is the share that is brought in."""

    mapping: FieldMap
    categories: Categories = field(default_factory=dict)
    sample: float | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """What a chunk holds: products, bad records, and how many others replace or leave out."""

    drafts: Sequence[Draft]
    bad: Sequence[BadRecord] = ()
    duplicates: int = 0
    left_out: int = 0


def read_records(reading: Reading, documents: Iterable[Document | BadRecord]) -> Records:
    """Of two records of a range with one id the later one counts, as it does between ranges."""
    drafts: dict[str, Draft] = {}
    bad: list[BadRecord] = []
    duplicates = left_out = 0
    for document in documents:
        read = _read(reading, document)
        if isinstance(read, BadRecord):
            bad.append(read)
        elif not _drawn(read.product_id, reading.sample):
            left_out += 1
        else:
            duplicates += read.product_id in drafts
            drafts[read.product_id] = read
    return Records(tuple(drafts.values()), bad, duplicates, left_out)


def _read(reading: Reading, document: Document | BadRecord) -> Draft | BadRecord:
    if isinstance(document, BadRecord):
        return document
    record = reading.mapping.record(document)
    return _draft(reading.categories, record) if isinstance(record, Record) else record


def _draft(categories: Categories, record: Record) -> Draft | BadRecord:
    try:
        attributes = read_attributes({"category": _category(categories, record), **record.fields})
    except Invalid as error:
        detail = f"Product {record.product_id}: {error.detail}"
        return BadRecord(record.offset, error.kind, detail, record.product_id)
    return Draft(record.offset, record.product_id, attributes, record.pictures)


def _category(categories: Categories, record: Record) -> tuple[str, ...]:
    """An id without a name is its own name."""
    if record.category_id is None:
        return ()
    return categories.get(record.category_id, (str(record.category_id),))


def _drawn(product_id: str, sample: float | None) -> bool:
    """By the id alone, so that another import of the same source draws the same products."""
    if sample is None:
        return True
    lot = int.from_bytes(blake2b(product_id.encode(), digest_size=8).digest(), "big")
    return lot < sample * 2**64
