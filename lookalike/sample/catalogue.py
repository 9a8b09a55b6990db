"""The sample catalogue: a file in Cdiscount's format, and the names of its categories beside it."""

import csv
from collections.abc import Callable
from pathlib import Path

import simplejpeg

from lookalike.sample.drawing import photo
from lookalike.sample.inventing import CATEGORY_IDS, Invention, invent
from lookalike.sample.painting import paint
from shared.errors import Invalid
from shared.sources.bson import encode
from shared.sources.categories import CATEGORY_COLUMNS

CATEGORY_FILE = "category_names.csv"
_QUALITY = 90


def make(
    out: Path, *, products: int, seed: int, progress: Callable[[int], None] | None = None
) -> None:
    """Write so many products, the same bytes for the same seed; `progress` is told how many so far.

    A larger catalogue of the same seed begins with the smaller one.
    """
    if products < 1:
        raise Invalid(f"A sample has at least one product; {products} were asked for.")
    out.parent.mkdir(parents=True, exist_ok=True)
    _write_categories(out.with_name(CATEGORY_FILE))
    with out.open("wb") as file:
        for number in range(products):
            file.write(_record(invent(seed, number)))
            if progress:
                progress(number + 1)


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


def _record(product: Invention) -> bytes:
    return encode(
        product.product_id,
        pictures(product),
        category_id=product.category_id,
        extras=product.attributes,
    )


def _write_categories(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CATEGORY_COLUMNS)
        writer.writerows((number, *levels) for levels, number in CATEGORY_IDS.items())
