"""Products as Elasticsearch keeps them, always whole, and the writes that bring them there."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from shared.index.columns import token
from shared.index.entries import Entry, Row
from shared.indexes import Index
from shared.products import Attributes, Scalar, bucket_of
from shared.vectors import from_bytes

PATH_SEPARATOR: Final = " > "
"""Between the names of a category path, where facets count whole paths."""
SLICE_BYTES: Final = 2_000_000
"""A second or two of work for a small node: well within the time that an answer may take."""
_LONGEST_ID: Final = 512
_PLACES: Final = 5
"""More than float16 holds: the graph sees these numbers, similarities are made from the codes."""


@dataclass(frozen=True, slots=True)
class Write:
    """One product as of one revision; without a body it is deleted."""

    product_id: str
    revision: int
    body: bytes | None = None

    def lines(self) -> tuple[bytes, ...]:
        """As a bulk request takes it."""
        # rule: external_version
        told = {"version": self.revision, "version_type": "external"}
        action = {"_id": id_of(self.product_id), **told}
        if self.body is None:
            return (json.dumps({"delete": action}).encode(),)
        return json.dumps({"index": action}).encode(), self.body


def id_of(product_id: str) -> str:
    """Elasticsearch takes 512 bytes; no product id has a slash, so a digest is nobody else's."""
    data = product_id.encode()
    if len(data) <= _LONGEST_ID:
        return product_id
    return f"/{hashlib.blake2b(data, digest_size=32).hexdigest()}"


def path_token(path: Sequence[str]) -> str:
    """A category path as one term that no other path has."""
    return json.dumps(list(path), ensure_ascii=False)


def write_of(entry: Entry, index: Index, read_at: int) -> Write:
    """`entry` has all rows there are; `read_at` is when its documents were read."""
    if entry.deleted:
        return Write(entry.product_id, entry.revision)
    body = json.dumps(_document(entry, index, read_at), separators=(",", ":")).encode()
    return Write(entry.product_id, entry.revision, body)


def slices(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """In order, as many at a time as one request should carry."""
    part: list[Write] = []
    size = 0
    for write in writes:
        more = sum(map(len, write.lines()))
        if part and size + more > SLICE_BYTES:
            yield part
            part, size = [], 0
        part.append(write)
        size += more
    if part:
        yield part


def rows_of(source: Mapping[str, Any]) -> tuple[Row, ...]:
    """The images of a document as it comes back."""
    shas, codes = source["shas"], base64.b64decode(source["codes"])
    size = len(codes) // max(1, len(shas))
    return tuple(Row(sha, codes[n * size : (n + 1) * size]) for n, sha in enumerate(shas))


def _document(entry: Entry, index: Index, read_at: int) -> Mapping[str, Any]:
    return {
        "product_id": entry.product_id,
        "bucket": bucket_of(index.tenant, entry.product_id),
        "revision": entry.revision,
        "images_revision": entry.images_revision,
        "read_at": read_at,
        "pictures": len(entry.rows),
        **_attributes(entry.attributes),
        **_declared(entry.attributes.custom, index.declared),
        "shas": [row.sha256 for row in entry.rows],
        "codes": base64.b64encode(b"".join(row.vector for row in entry.rows)).decode(),
        "images": [{"vector": _numbers(row.vector)} for row in entry.rows],
    }


def _attributes(said: Attributes) -> Mapping[str, Any]:
    prefixes = (said.category[:depth] for depth in range(len(said.category) + 1))
    return {
        "title": said.title,
        "brand": said.brand,
        "category": said.category,
        "category_path": PATH_SEPARATOR.join(said.category),
        "category_under": [path_token(path) for path in prefixes],
        "price": None if said.price is None else _plain(said.price),
        "currency": said.currency,
        "in_stock": said.in_stock,
        "tags": said.tags,
        "url": said.url,
        "custom": dict(said.custom),
    }


def _declared(custom: Mapping[str, Scalar], declared: Sequence[str]) -> Mapping[str, Any]:
    """Terms that are equal where filters hold two values to be the same, and numbers for ranges."""
    there = [(f"c{n}", custom[name]) for n, name in enumerate(declared) if name in custom]
    numbers = {
        place: _plain(float(value))
        for place, value in there
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return {"declared": {place: token(value) for place, value in there}, "number": numbers}


def _plain(number: float) -> float:
    """Minus zero is zero: Elasticsearch would tell them apart."""
    return number + 0.0


def _numbers(vector: bytes) -> list[float]:
    numbers: list[float] = np.round(from_bytes(vector).astype(np.float64), _PLACES).tolist()
    return numbers
