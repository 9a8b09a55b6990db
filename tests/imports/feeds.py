"""Feeds of many products, and imports that are caught in the middle."""

from collections.abc import Iterable, Sequence
from typing import Final

from tests.imports.bad_records import record
from tests.imports.pictures import jpeg
from tests.imports.shop import Shop, steady, until

PICTURES: Final = 24
"""So many pictures are shared by the products of a long feed, which is quick to embed then."""


def entries(numbers: Iterable[int], seed: int, **fields: object) -> Sequence[bytes]:
    drawn = [{"picture": jpeg(seed + n)} for n in range(PICTURES)]
    return [record(n, [drawn[n % PICTURES]] * (1 + n % 3), **fields) for n in numbers]


def feed(numbers: Iterable[int], seed: int, **fields: object) -> bytes:
    return b"".join(entries(numbers, seed, **fields))


def paused_in_the_middle(shop: Shop, import_id: str) -> int:
    """Paused with some records read, and others not: how many are."""
    until(
        lambda: shop.view(import_id)["planned"] and shop.view(import_id)["counters"]["read"] > 0,
        "the import does not begin",
    )
    assert shop.ask(import_id, "pause")["state"] == "paused"
    read = read_so_far(shop, import_id)
    assert 0 < read < shop.view(import_id)["records"], "too few records to be caught in the middle"
    return read


def read_so_far(shop: Shop, import_id: str) -> int:
    """Of a paused import, once the chunks that were at work are finished."""
    return steady(lambda: int(shop.view(import_id)["counters"]["read"]), "a paused import goes on")
