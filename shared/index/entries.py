"""What a segment says of a product, and who is right when several segments speak of one."""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from shared.products import Attributes

TOMBSTONE_AGE_MS = 600_000


@dataclass(frozen=True, slots=True)
class Row:
    """One image of a product: little-endian float16 of all spaces, each of unit length."""

    sha256: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A product as it was at one revision.

    Without rows it changes attributes only. `rows_at` is the revision its rows were read at, and
    `committed` the store's milliseconds when the segment that first held it was written.
    """

    product_id: str
    revision: int
    images_revision: int
    deleted: bool
    attributes: Attributes
    rows: tuple[Row, ...]
    rows_at: int
    committed: int


def key_of(product_id: str) -> int:
    """64 bits that products are sorted by within a segment."""
    digest = hashlib.blake2b(product_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def place(entry: Entry) -> tuple[int, str]:
    """What a segment's entries are sorted by."""
    return key_of(entry.product_id), entry.product_id


def winner_and_rows(entries: Sequence[Entry]) -> tuple[Entry, Entry | None]:
    """Of one product's entries in order of position: whose attributes hold, and whose rows live."""
    # rule: highest_revision
    winner = max(reversed(entries), key=lambda entry: entry.revision)
    bearing = [entry for entry in reversed(entries) if entry.rows]
    rows = max(bearing, key=lambda entry: entry.rows_at, default=None)
    # rule: images_revision
    if rows is None or winner.deleted or rows.rows_at < winner.images_revision:
        return winner, None
    return winner, rows


def merge(
    inputs: Iterable[Iterable[Entry]],
    known_elsewhere: Callable[[str], bool],
    now: int,
    *,
    forgotten: set[str],
) -> Iterator[Entry]:
    """The entries of the segments to be replaced, in order of position, as those of one segment.

    Each gives its entries by `place`, and so does the result; of what is read no more is held than
    the entries of one product. `known_elsewhere` tells whether a segment left standing has an entry
    of a product; asked anew at every try of a commit. Who goes without an entry is added to `forgotten`.
    """
    # Entries of one product come in the order of their segments: merging is stable.
    for product_id, entries in groupby(heapq.merge(*inputs, key=place), lambda e: e.product_id):
        winner, rows = winner_and_rows(list(entries))
        if winner.deleted and _forgettable(winner, known_elsewhere, now):
            forgotten.add(product_id)
        else:
            yield _carrying(winner, rows)


def _forgettable(tombstone: Entry, known_elsewhere: Callable[[str], bool], now: int) -> bool:
    # rule: tombstone_age
    old = now - tombstone.committed > TOMBSTONE_AGE_MS
    # rule: tombstone_alone
    return old and not known_elsewhere(tombstone.product_id)


def _carrying(winner: Entry, rows: Entry | None) -> Entry:
    if rows is None:
        return replace(winner, rows=())
    return replace(winner, rows=rows.rows, rows_at=rows.rows_at)
