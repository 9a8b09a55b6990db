"""How well one graph over all spaces answers blends, beside candidates per space rescored.

    python -m benchmarks.segment_search [--rows 50000] [--noise 1.0] [--queries 200] [--seed 1] [--quick]

Each space has neighbourhoods of its own, which is the worst case for one graph. Queries are stored
pictures shaken a little (`near`), and pictures unlike any stored: each space comes from another one
(`mixed`). Recall@10 is against the exact blend over the same codes; times are medians of one thread.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims import Claim, at_least, options, tell
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from shared.hits import DEFAULT_BLEND
from shared.index.accelerator import Rows
from shared.index.exact import Codes, codes_writer
from shared.index.faiss import (
    EF_ANY_BLEND,
    EF_DEFAULT_BLEND,
    Graph,
    GraphBuild,
    open_codes,
    write_graph,
)
from shared.spaces import SpaceName
from shared.vectors import Floats, blended, unit_spaces

ROWS, QUERIES = 20_000, 100
K = 10
EFS = (64, 128, 256, 512)
PER_SPACE = (100, 300, 1000)
SPACES = read_manifest(BUNDLED / DEFAULT).spaces
BLENDS: Mapping[str, Mapping[SpaceName, float]] = {
    "default": DEFAULT_BLEND,
    "even": {"content": 1, "style": 1, "colour": 1},
    "mostly_style": {"content": 0.2, "style": 0.6, "colour": 0.2},
    "content": {"content": 1},
    "style": {"style": 1},
    "colour": {"colour": 1},
}
Search = Callable[[Floats], Rows]


def corpus(rows: int, noise: float, seed: int) -> Floats:
    """Clusters within clusters, drawn anew for each space; more noise makes them run together."""
    rng = np.random.default_rng(seed)
    parts = []
    for space in SPACES.spaces:
        coarse = rng.standard_normal((50, space.dim))
        fine = coarse[np.arange(2_000) % 50] + 0.7 * rng.standard_normal((2_000, space.dim))
        shaken = noise * rng.standard_normal((rows, space.dim))
        parts.append(fine[rng.integers(2_000, size=rows)] + shaken)
    return _units(np.hstack(parts)).astype(np.float16).astype(np.float32)


def looked_for(vectors: Floats, count: int, seed: int) -> dict[str, Floats]:
    rng = np.random.default_rng(seed + 1)
    near = vectors[rng.integers(len(vectors), size=count)]
    picked = (vectors[rng.integers(len(vectors), size=count), s] for s in SPACES.slices().values())
    mixed = np.hstack(list(picked))
    noise = 0.03 * rng.standard_normal(near.shape)
    return {"near": _units(near + noise), "mixed": _units(mixed + noise)}


def _units(lines: np.ndarray[Any, Any]) -> Floats:
    return np.stack([unit_spaces(line, SPACES) for line in lines.astype(np.float32)])


@dataclass(frozen=True)
class Built:
    codes: Codes
    graph: Graph
    seconds: float


def built(vectors: Floats, path: Path) -> Built:
    """A graph as segments have them, and how many seconds one thread took."""
    started = time.perf_counter()
    flat = path.with_suffix(".flat")
    with codes_writer(vectors.shape[1], flat) as writer:
        for vector in vectors.astype("<f2"):
            writer.append(vector.tobytes())
    write_graph(open_codes(flat)[0], path, GraphBuild())
    seconds = time.perf_counter() - started
    codes, graph = open_codes(path)
    if graph is None:
        raise SystemExit(f"{path} holds no graph.")
    return Built(codes, graph, seconds)


def measured(search: Search, queries: Floats, truth: list[Rows]) -> dict[str, float]:
    found, times = 0, []
    for query, expected in zip(queries, truth, strict=True):
        started = time.perf_counter()
        rows = search(query)
        times.append(time.perf_counter() - started)
        found += len(np.intersect1d(rows, expected))
    recall = found / sum(len(expected) for expected in truth)
    return {"recall": round(recall, 4), "ms": round(float(np.median(times)) * 1e3, 3)}


@dataclass(frozen=True)
class Contest:
    """The three ways of answering a blend."""

    whole: Built
    apart: Mapping[SpaceName, Built]

    def exact(self, query: Floats) -> Rows:
        everything = np.ones(len(self.whole.codes), dtype=np.bool_)
        return self.whole.codes.search(query, K, everything)[1]

    def one(self, ef: int) -> Search:
        """One graph over all spaces."""
        codes, graph = self.whole.codes, self.whole.graph
        return lambda query: codes.among(query, K, graph.candidates(query, K, ef=ef))[1]

    def per_space(self, count: int, blend: Mapping[SpaceName, float]) -> Search:
        """So many candidates of each space that has weight, rescored by the blend."""
        parts = [(self.apart[s].graph, p) for s, p in SPACES.slices().items() if s in blend]

        def search(query: Floats) -> Rows:
            rows = [graph.candidates(query[part], count, ef=count) for graph, part in parts]
            return self.whole.codes.among(query, K, np.unique(np.concatenate(rows)))[1]

        return search

    def of(self, blend: Mapping[SpaceName, float], queries: Floats) -> dict[str, dict[str, float]]:
        asked = np.stack([blended(query, SPACES, blend) for query in queries])
        truth = [self.exact(query) for query in asked]
        searches: dict[str, Search] = {"exact": self.exact}
        searches |= {f"one_ef_{ef}": self.one(ef) for ef in EFS}
        searches |= {f"per_space_{count}": self.per_space(count, blend) for count in PER_SPACE}
        return {name: measured(search, asked, truth) for name, search in searches.items()}


def claims(found: Mapping[str, Mapping[str, Any]]) -> list[Claim]:
    made = []
    for name, blend in BLENDS.items():
        ef = EF_DEFAULT_BLEND if blend == DEFAULT_BLEND else EF_ANY_BLEND
        for kind, searches in found[name].items():
            one, exact = searches[f"one_ef_{ef}"], searches["exact"]
            recall, gain = one["recall"], exact["ms"] / one["ms"]
            made.append(at_least(f"recall@{K}, {name}, {kind}, ef {ef}", recall, 0.95, "part"))
            made.append(
                at_least(f"quicker than exact, {name}, {kind}, ef {ef}", gain, 1.0, "times")
            )
    return made


def measured_all(rows: int, queries: int, noise: float, seed: int) -> dict[str, Any]:
    vectors = corpus(rows, noise, seed)
    asked = looked_for(vectors, queries, seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = built(vectors, Path(folder, "all.faiss"))
        apart = {
            name: built(np.ascontiguousarray(vectors[:, part]), Path(folder, f"{name}.faiss"))
            for name, part in SPACES.slices().items()
        }
        contest = Contest(whole, apart)
        blends = {
            name: {kind: contest.of(blend, some) for kind, some in asked.items()}
            for name, blend in BLENDS.items()
        }
    build = {"one": whole.seconds, "per_space": sum(part.seconds for part in apart.values())}
    return {"rows": rows, "queries": queries, "build_seconds": build, "blends": blends}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rows, queries = (3_000, 10) if asked.quick else (asked.rows, asked.queries)
    found = measured_all(rows, queries, asked.noise, asked.seed)
    tell("segment_search", claims(found["blends"]), found)


if __name__ == "__main__":
    main()
