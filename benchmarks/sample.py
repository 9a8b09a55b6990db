"""How quickly a sample catalogue is drawn: `python -m benchmarks.sample [--products N] [--quick]`.

The same products are drawn by one process and by as many as there are processors, in turns, each time into a
new file.
"""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.claims import at_least, options, tell
from lookalike.sample.catalogue import make
from shared.runtime.arguments import processors

PRODUCTS = 1_000
PRODUCTS_PER_SECOND = 60.0
ROUNDS = 3


def per_second(products: int, processes: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        make(Path(folder, "sample.bson"), products=products, seed=1, processes=processes)
        return products / (time.perf_counter() - begun)


def measured(products: int, rounds: int) -> dict[str, float]:
    taken = [(per_second(products, 1), per_second(products, processors())) for _ in range(rounds)]
    alone, together = (statistics.median(each) for each in zip(*taken, strict=True))
    return {"one_process": round(alone, 1), "all_processors": round(together, 1)}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    asked = parser.parse_args()
    found = measured(*((10, 1) if asked.quick else (asked.products, ROUNDS)))
    name, pace = "sample products are drawn by one process", found["one_process"]
    claim = at_least(name, pace, PRODUCTS_PER_SECOND, "products/s")
    tell("sample", [claim], found)


if __name__ == "__main__":
    main()
