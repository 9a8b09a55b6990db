"""How quickly the SQLite catalogue writes and finds: `python -m benchmarks.catalogue [--products N]`.

Products come in batches of 64, as an import writes them; then every named lookup is timed at that
size, and small writes from many threads show what group commit gives. One JSON object is printed.
"""

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_least, at_most, options, tell
from shared.catalogue.images import ImageWrite
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.images import Place
from shared.indexes import target
from shared.products import BUCKETS, Attributes

PRODUCTS = 30_000
BATCH = 64
ALL = range(BUCKETS)
SEGMENTS = target("one", "segments")
TARGETS = frozenset({SEGMENTS, target("one", "elasticsearch")})
FINGERPRINT = "f" * 64
VECTOR = bytes(512)
UPSERTS_PER_SECOND = 3_000
LOOKUP_MS = 25.0


def product_id(number: int) -> str:
    return f"{number * 2_654_435_761 % 2**32:08x}"


def image_of(number: int) -> str:
    return f"{number:064x}"


def write(number: int, price: float, not_after: int) -> ProductWrite:
    attributes = Attributes(
        title=f"Product {number} with a title of the usual length",
        brand=f"Brand {number % 400}",
        category=("Home", f"Room {number % 20}", f"Kind {number % 300}"),
        price=price,
        currency="EUR",
        in_stock=number % 7 > 0,
        tags=("sale", "small"),
        url=f"https://shop.example/products/{number}",
        custom={"size": number % 50, "material": "oak"},
    )
    images = (image_of(number), image_of(number // 2))
    return ProductWrite("shop", product_id(number), attributes, images, TARGETS, not_after)


def picture(number: int, not_after: int, *, embedded: bool) -> ImageWrite:
    return ImageWrite(
        tenant="shop",
        sha256=image_of(number),
        place=Place(f"pack-{number // BATCH}", number % BATCH * 9_000, 9_000),
        media_type="image/jpeg",
        width=180,
        height=180,
        not_after=not_after,
        vectors=((FINGERPRINT, VECTOR),) if embedded else (),
    )


def batches(count: int) -> Iterator[range]:
    for start in range(0, count, BATCH):
        yield range(start, min(start + BATCH, count))


def pace(count: int, work: Callable[[range], object]) -> dict[str, float]:
    """Items a second, on the wall and on one core's time, in batches."""
    wall, core = time.perf_counter(), time.process_time()
    for batch in batches(count):
        work(batch)
    wall, core = time.perf_counter() - wall, time.process_time() - core
    return {"per_second": round(count / wall), "per_core_second": round(count / core)}


def filled(catalogue: SqliteCatalogue, count: int) -> dict[str, Any]:
    """Writes everything and says how quickly each kind of write went."""
    end = catalogue.now() + 3_600_000
    products, images = catalogue.products, catalogue.images
    images.unembedded(FINGERPRINT, "shop")

    def pictures(batch: range) -> None:
        images.put([picture(number, end, embedded=number % 100 > 0) for number in batch])

    def announced(batch: range) -> None:
        for number in batch:
            images.announced("shop", image_of(number), FINGERPRINT)

    def upsert(price: float) -> Callable[[range], None]:
        return lambda batch: _ignore(products.upsert([write(n, price, end) for n in batch]))

    def mark(batch: range) -> None:
        ids = [product_id(number) for number in batch]
        read = [(name, found.revision) for name, found in products.get("shop", ids).items()]
        for name in TARGETS:
            products.mark("shop", name, read)

    return {
        "images put with vectors": pace(count, pictures),
        "announcements, one by one": pace(min(count, 2_000), announced),
        "products created": pace(count, upsert(1.0)),
        "products read and marked in two targets": pace(count, mark),
        "products unchanged": pace(count // 4, upsert(1.0)),
        "products changed": pace(count // 4, upsert(2.0)),
    }


def _ignore(_: object) -> None:
    """For works that answer something."""


def milliseconds(work: Callable[[], object], rounds: int = 25) -> float:
    """The median of some rounds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken) * 1000, 3)


def lookups(catalogue: SqliteCatalogue, count: int) -> dict[str, float]:
    """Median milliseconds of every named lookup; a quarter of the products is pending."""
    products, images = catalogue.products, catalogue.images
    rng = random.Random(1)

    def some() -> int:
        return rng.randrange(count)

    return {
        "one product": milliseconds(lambda: products.get("shop", [product_id(some())])),
        "100 products": milliseconds(
            lambda: products.get("shop", [product_id(some()) for _ in range(100)])
        ),
        "500 pending": milliseconds(lambda: products.pending("shop", SEGMENTS, ALL, 500)),
        "500 pending of a sixteenth": milliseconds(
            lambda: products.pending("shop", SEGMENTS, range(256), 500)
        ),
        "none pending": milliseconds(lambda: products.pending("shop", "two/segments", ALL, 500)),
        "shown": milliseconds(lambda: products.shown("shop", image_of(some()))),
        "64 claimable": milliseconds(lambda: images.claimable(FINGERPRINT, 64)),
        "64 images": milliseconds(
            lambda: images.get("shop", [image_of(some()) for _ in range(64)])
        ),
        "names_blob": milliseconds(lambda: images.names_blob(f"pack-{some() // BATCH}")),
        "digests of 64 buckets": milliseconds(
            lambda: products.digests("shop", SEGMENTS, range(64))
        ),
        "count": milliseconds(lambda: products.count("shop")),
        "count_pending": milliseconds(lambda: products.count_pending(SEGMENTS)),
        "categories": milliseconds(lambda: products.categories("shop")),
    }


def crowd(catalogue: SqliteCatalogue, threads: int, each: int = 200) -> dict[str, Any]:
    """Single small writes from many threads: how many a second, and how many to a commit."""
    before, barrier = catalogue.commits, threading.Barrier(threads)

    def work(number: int) -> None:
        barrier.wait()
        end = catalogue.now() + 3_600_000
        for turn in range(each):
            catalogue.products.upsert([write(number * each + turn, 3.0, end)])

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    wall, writes = time.perf_counter() - start, threads * each
    grouped = round(writes / (catalogue.commits - before), 1)
    return {"threads": threads, "per_second": round(writes / wall), "writes_a_commit": grouped}


def measured(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.db"
        with SqliteCatalogue(path) as catalogue:
            writes = filled(catalogue, count)
            found = lookups(catalogue, count)
            crowds = [crowd(catalogue, threads) for threads in (1, 8, 32)]
        size = path.stat().st_size
    return {
        "products": count,
        "writes": writes,
        "lookup_ms": found,
        "group_commit": crowds,
        "bytes_a_product": round(size / count),
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    created = found["writes"]["products created"]["per_core_second"]
    slowest = max(
        taken
        for name, taken in found["lookup_ms"].items()
        if name != "categories" and not name.startswith("count")
    )
    shared = found["group_commit"][1]["writes_a_commit"]
    return [
        at_least("products created on one core", created, UPSERTS_PER_SECOND, "products/s"),
        at_most("the slowest lookup but counts", slowest, LOOKUP_MS, "ms"),
        at_least("writes of 8 threads in one commit", shared, 1.5, "writes"),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    asked = parser.parse_args()
    found = measured(1_000 if asked.quick else asked.products)
    tell("catalogue", claims(found), found)


if __name__ == "__main__":
    main()
