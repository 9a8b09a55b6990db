"""How quickly an import of BSON is planned: `python -m benchmarks.bson_scan [--megabytes N] [--quick]`.

A file of drawn products is made in a temporary folder and scanned into chunks, in turn with the bson
library reading the same file record by record. The file is in the page cache: what is measured is the
work, not the disk. Decoding the chunks and drawing the sample are timed beside it.
One JSON object is printed.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bson

from benchmarks.claims import at_least, options, tell
from lookalike.sample.catalogue import make
from shared.sources.bson import decode, scan
from shared.sources.records import ChunkRange, file_reader

GIGABYTES_PER_SECOND = 1.0
PRODUCTS_PER_SECOND = 60.0
DRAWN = 200
ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def plan(path: Path) -> list[ChunkRange]:
    with path.open("rb") as file:
        pieces = list(scan(file_reader(file), path.stat().st_size))
    return [piece for piece in pieces if isinstance(piece, ChunkRange)]


def decode_chunks(path: Path) -> int:
    with path.open("rb") as file:
        read = file_reader(file)
        return sum(1 for piece in plan(path) for _ in decode(read(piece.offset, piece.length)))


def read_with_the_library(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in bson.decode_file_iter(file))


def enlarge(sample: Path, path: Path, megabytes: int) -> None:
    """Repeat the sample until the file is as large as asked."""
    data = sample.read_bytes()
    with path.open("wb") as file:
        for _ in range(max(1, megabytes * 1_000_000 // len(data))):
            file.write(data)


def measure(folder: Path, megabytes: int, drawn: int) -> dict[str, float]:
    sample, large = folder / "sample.bson", folder / "large.bson"
    drawing = seconds(lambda: make(sample, products=drawn, seed=1))
    enlarge(sample, large, megabytes)
    planning, library = [], []
    for _ in range(ROUNDS):
        planning.append(seconds(lambda: plan(large)))
        library.append(seconds(lambda: read_with_the_library(large)))
    gigabytes = large.stat().st_size / 1e9
    return {
        "file_gigabytes": gigabytes,
        "records": sum(piece.records for piece in plan(large)),
        "planned_gb_per_s": gigabytes / statistics.median(planning),
        "bson_library_gb_per_s": gigabytes / statistics.median(library),
        "decoded_gb_per_s": gigabytes / seconds(lambda: decode_chunks(large)),
        "drawn_products_per_s": drawn / drawing,
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), *((5, 10) if asked.quick else (asked.megabytes, DRAWN)))
    claims = [
        at_least(
            "a BSON import is planned", found["planned_gb_per_s"], GIGABYTES_PER_SECOND, "GB/s"
        ),
        at_least(
            "sample products are drawn",
            found["drawn_products_per_s"],
            PRODUCTS_PER_SECOND,
            "products/s",
        ),
    ]
    tell("bson_scan", claims, {name: round(value, 3) for name, value in found.items()})


if __name__ == "__main__":
    main()
