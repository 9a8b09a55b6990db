"""The sample catalogue: a file in Cdiscount's format, and the names of its categories beside it."""

import csv
import os
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path

import simplejpeg

from lookalike.sample.crew import drawn
from lookalike.sample.drawing import photo
from lookalike.sample.inventing import CATEGORY_IDS, Invention, invent
from lookalike.sample.painting import paint
from lookalike.sample.unfinished import whole_records
from shared.errors import Invalid
from shared.sources.bson import encode
from shared.sources.categories import CATEGORY_COLUMNS

CATEGORY_FILE = "category_names.csv"
_QUALITY = 72


def make(
    out: Path,
    *,
    products: int,
    seed: int,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write so many products, the same bytes for the same seed; `progress` is told how many so far.

    A larger catalogue of the same seed begins with the smaller one. Until it is whole, it is beside
    `out` with `.part` behind its name; whoever finds that goes on with it.
    """
    if products < 1:
        raise Invalid(f"A sample has at least one product; {products} were asked for.")
    out.parent.mkdir(parents=True, exist_ok=True)
    _write_categories(out.with_name(CATEGORY_FILE))
    part, tell = unfinished(out), progress or (lambda _: None)
    done, length = whole_records(part, products, partial(record, seed))
    if done:
        tell(done)
    with part.open("r+b" if done else "wb") as file:
        file.truncate(length)
        file.seek(length)
        with closing(_drawn(seed, done, products, processes)) as pieces:
            for count, data in pieces:
                file.write(data)
                done += count
                tell(done)
        file.flush()
        os.fsync(file.fileno())
    part.replace(out)


def unfinished(out: Path) -> Path:
    """Where a sample is written until it is whole."""
    return out.with_name(f"{out.name}.part")


def pictures(product: Invention) -> list[bytes]:
    """The JPEGs of a product, painted once and photographed from each of its views."""
    thing = paint(product.kind.name, product.design, product.form)
    lying = product.kind.lying
    return [
        simplejpeg.encode_jpeg(
            photo(thing, view, lying=lying), quality=_QUALITY, colorsubsampling="420"
        )
        for view in product.views
    ]


def record(seed: int, number: int) -> bytes:
    """The product of that number as the file has it."""
    product = invent(seed, number)
    return encode(
        product.product_id,
        pictures(product),
        category_id=product.category_id,
        extras=product.attributes,
    )


def _drawn(seed: int, start: int, stop: int, processes: int) -> Generator[tuple[int, bytes]]:
    """Records from one number to another in order: how many, and their bytes."""
    if processes > 1:
        yield from drawn(seed, start, stop, processes)
        return
    for number in range(start, stop):
        yield 1, record(seed, number)


def _write_categories(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CATEGORY_COLUMNS)
        writer.writerows((number, *levels) for levels, number in CATEGORY_IDS.items())
