"""Latency of a search in one process: exact, graph and trees side by side in one run.

`python -m benchmarks.search [--rows N] [--quick]` prints one JSON object.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims import Claim, at_least, at_most, options, tell
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.search.searcher import LocalSearcher
from services.search.shards import Shards
from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.filters import In
from shared.hits import SearchAnswer, SearchRequest
from shared.index import annoy
from shared.index.entries import Entry, Row, place
from shared.index.manifest import Manifest
from shared.index.segment import accelerate, store, write
from shared.indexes import Index
from shared.products import Attributes

SPACES = read_manifest(BUNDLED / DEFAULT).spaces
KINDS = 200
SMALL = 1_000
FLOORS = {"graph": 0.98, "graph, a tenth": 0.97, "graph, style": 0.95, "trees": 0.9}


def pictures(count: int, seed: int) -> NDArray[np.float16]:
    """Of two hundred kinds, spread in sixteen directions as pictures are, not as noise is."""
    fixed, drawn = np.random.default_rng(1), np.random.default_rng(seed)
    kinds = fixed.normal(size=(KINDS, SPACES.dim))
    directions = fixed.normal(size=(16, SPACES.dim)) / 4
    found = kinds[drawn.integers(KINDS, size=count)]
    found += drawn.normal(size=(count, 16)) @ directions
    found += drawn.normal(scale=0.2, size=found.shape)
    for part in SPACES.slices().values():
        found[:, part] /= np.linalg.norm(found[:, part], axis=1, keepdims=True)
    return found.astype("<f2")


def entry(number: int, vector: NDArray[np.float16]) -> Entry:
    """`brand` splits into tenths, apart from what the picture shows."""
    attributes = Attributes(title=f"Thing {number}", brand=f"brand {number % 10}")
    rows = (Row(f"{number:064x}", vector.tobytes()),)
    return Entry(f"p{number}", 1, 1, False, attributes, rows, rows_at=1, committed=0)


def opened(folder: Path, rows: int) -> LocalSearcher:
    """Two indexes, each one shard of one segment: `big` with graph and trees, `small` without."""
    catalogue = SqliteCatalogue(folder / "catalogue.db")
    blobs = FsspecBlobs(f"file://{folder}/blobs")
    for name, count in (("big", rows), ("small", SMALL)):
        catalogue.indexes.create(Index(name, "t", "m", SPACES, 1, ("segments",), (), "ready", 0))
        entries = [entry(n, vector) for n, vector in enumerate(pictures(count, seed=2))]
        files = write(sorted(entries, key=place), SPACES, (), folder, name)
        if name == "big":
            files = accelerate(files, trees=True)
        segment = store(files, blobs, "t", name, 0)
        key = keys.manifest("t", name, 0, 1)
        blobs.put(key, Manifest(name, 0, 1, 1, SPACES, (), (segment,)).to_json())
        catalogue.indexes.swap(name, 0, expected=0, manifest=key, as_of=1)
    shards = Shards(catalogue, blobs, replica="bench")
    shards.refresh()
    return LocalSearcher(shards, annoy=annoy.installed())


def cases() -> dict[str, Mapping[str, Any]]:
    """What is measured, by name; all over the same pictures."""
    tenth = In("brand", ("brand 3",))
    style = {"style": 1.0}
    found: dict[str, Mapping[str, Any]] = {
        "small": {"index": "small", "backend": "exact"},
        "exact": {"backend": "exact"},
        "graph": {"backend": "faiss"},
        "exact, a tenth": {"backend": "exact", "filter": tenth},
        "graph, a tenth": {"backend": "faiss", "filter": tenth},
        "exact, style": {"backend": "exact", "blend": style},
        "graph, style": {"backend": "faiss", "blend": style},
    }
    return {**found, "trees": {"backend": "annoy"}} if annoy.installed() else found


def asked(searcher: LocalSearcher, vector: NDArray[np.float16], **case: Any) -> SearchAnswer:
    query = vector.astype("<f4").tobytes()
    wanted = {"index": "big", **case}
    return searcher.search(
        SearchRequest(tenant="t", fingerprint=SPACES.fingerprint, vector=query, limit=10, **wanted)
    )


def measured(searcher: LocalSearcher, queries: int) -> dict[str, dict[str, Any]]:
    """Every case for every query in turn, so that a slow moment falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in cases()}
    hits: dict[str, list[set[str]]] = {name: [] for name in cases()}
    plans: dict[str, str] = {}
    for vector in pictures(queries, seed=3):
        for name, case in cases().items():
            started = time.perf_counter()
            answer = asked(searcher, vector, **case)
            times[name].append(1_000 * (time.perf_counter() - started))
            hits[name].append({hit.product_id for hit in answer.hits})
            plans[name] = answer.plan
    return {
        name: {
            "p50_ms": round(float(np.percentile(taken, 50)), 3),
            "p99_ms": round(float(np.percentile(taken, 99)), 3),
            "recall": round(recall(hits[name], hits[truth_of(name)]), 4),
            "plan": plans[name],
        }
        for name, taken in times.items()
    }


def truth_of(name: str) -> str:
    return name.replace("graph", "exact").replace("trees", "exact")


def recall(found: Sequence[set[str]], truth: Sequence[set[str]]) -> float:
    shared = sum(len(one & other) for one, other in zip(found, truth, strict=True))
    return shared / sum(map(len, truth))


def claims(found: Mapping[str, Mapping[str, Any]]) -> list[Claim]:
    gain = found["exact"]["p50_ms"] / found["graph"]["p50_ms"]
    return [
        at_most("1,000 rows, p50", found["small"]["p50_ms"], 1.0, "ms"),
        at_least("graph against scan, p50", gain, 1.0, "times as quick"),
        *(
            at_least(f"{name}: recall@10", found[name]["recall"], floor, "")
            for name, floor in FLOORS.items()
            if name in found
        ),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=300)
    asked = parser.parse_args()
    rows, queries = (2_000, 20) if asked.quick else (asked.rows, asked.queries)
    with tempfile.TemporaryDirectory() as folder:
        searcher = opened(Path(folder), rows)
        measured(searcher, 20)  # maps the pages, fills the filters' caches
        found = measured(searcher, queries)
    details = {"rows": rows, "queries": queries, "dim": SPACES.dim, "cases": found}
    tell("search", claims(found), details)


if __name__ == "__main__":
    main()
