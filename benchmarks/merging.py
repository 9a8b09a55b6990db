"""What memory a large merge takes, and that none of it is left: `python -m benchmarks.merging [--products N]
[--quick]`.

Eight segments of products with two pictures each become one with a graph, by the process of its own that the
indexer starts for it. Told is what both processes hold beyond what this one held before, mapped files left
out: at most, and when it is over. Vectors are noise, which is the dearest that a graph can be made of.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims import Claim, at_most, options, tell
from benchmarks.processes import memory, watched
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.indexer.apart import merged_apart
from services.indexer.merging import Merging, Placed
from shared.index.entries import Entry, Row, place
from shared.index.manifest import SegmentRef
from shared.index.segment import write
from shared.products import Attributes

PRODUCTS = 120_000
INPUTS = 8
PICTURES = 2
BASE_MB = 80
"""Of a process that merges nothing yet."""
ROW_BYTES = 800
LEFT_MB = 10
SPACES = read_manifest(BUNDLED / DEFAULT).spaces


def entries(first: int, count: int) -> Iterator[Entry]:
    rng = np.random.default_rng(first)
    for number in range(first, first + count):
        vectors = rng.standard_normal((PICTURES, SPACES.dim))
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = tuple(
            Row(f"{number * PICTURES + n:064x}", unit.astype("<f2").tobytes())
            for n, unit in enumerate(units)
        )
        said = Attributes(title=f"A thing with number {number}", category=("all", "of", "them"))
        yield Entry(f"product-{number}", 1, 1, False, said, rows, 1, 0)


def inputs(folder: Path, products: int) -> Iterator[Placed]:
    each = products // INPUTS
    for n in range(INPUTS):
        files = write(sorted(entries(n * each, each), key=place), SPACES, (), folder, f"{n}")
        yield SegmentRef(files.name, files.products, files.rows, ()), files.files


def measured(folder: Path, products: int) -> dict[str, Any]:
    asked = Merging(tuple(inputs(folder, products)), (), SPACES, (), 0, "m", 1, trees=False)
    out = folder / "merged"
    out.mkdir()
    before, begun = memory(os.getpid()).anonymous, time.perf_counter()
    with watched(os.getpid()) as peak:
        done = merged_apart(asked, out)
    return {
        "rows": done.files.rows,
        "seconds": round(time.perf_counter() - begun, 1),
        "most_mb": round((peak.anonymous - before) / 1e6, 1),
        "left_mb": round((memory(os.getpid()).anonymous - before) / 1e6, 1),
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    allowed = BASE_MB + found["rows"] * ROW_BYTES / 1e6
    return [
        at_most(
            f"a merge of {found['rows']:,} rows, both processes", found["most_mb"], allowed, "MB"
        ),
        at_most("left when it is over", found["left_mb"], LEFT_MB, "MB"),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), 800 if asked.quick else asked.products)
    tell("merging", claims(found), found)


if __name__ == "__main__":
    main()
