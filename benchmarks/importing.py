"""A whole import beside the bare embed loop: `python -m benchmarks.importing [--pictures N] [--quick]`.

The import is the real one, over HTTP into an embedded house: the file is planned, its pictures are
decoded, embedded and stored, and its products written and indexed, until all of them are searchable.
The bare loop decodes and embeds the same pictures and makes their thumbnails, and keeps nothing. Both
take turns, each round with a fresh folder: bound to one core, as a worker is paid for, and on all cores,
as the demo runs, where the bare loop still is a single one.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from benchmarks.claims import Claim, at_least, options, tell
from benchmarks.drawing import jpegs
from benchmarks.house import bring_in, house
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import BUNDLED
from shared.sources.bson import decode, encode
from shared.sources.records import Record

PICTURES = 600
A_PRODUCT = 2
ROUNDS = 2
SHARE = 0.7


@dataclass(frozen=True)
class Round:
    """Pictures a second: embedded by the bare loop, written, and searchable."""

    bare: float
    written: float
    searchable: float


def write_file(path: Path, pictures: int) -> None:
    drawn = jpegs(pictures)
    with path.open("wb") as file:
        for start in range(0, pictures, A_PRODUCT):
            file.write(encode(start, drawn[start : start + A_PRODUCT]))


def bare_loop(embedder: InProcessEmbedder, path: Path) -> float:
    begun, count = time.perf_counter(), 0
    for record in decode(path.read_bytes()):
        if isinstance(record, Record):
            count += len(embedder.embed(record.held, thumbnails=True))
    return count / (time.perf_counter() - begun)


def whole_import(path: Path) -> tuple[float, float]:
    """Pictures a second until written, and until searchable; starting the house is not counted."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        source = Path(folder, path.name)
        source.hardlink_to(path)
        with house(Path(folder)) as running:
            client = running.client()
            done = bring_in(client, source)
            client.close()
    return done.pictures / done.written_s, done.pictures / done.searchable_s


@contextmanager
def on(cores: AbstractSet[int]) -> Iterator[None]:
    """Processes that are started inside stay on these cores too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def one_round(embedder: InProcessEmbedder, path: Path, cores: AbstractSet[int]) -> Round:
    with on({min(cores)}):
        bare = bare_loop(embedder, path)
    with on(cores):
        return Round(bare, *whole_import(path))


def measured(folder: Path, *, pictures: int, rounds: int) -> dict[str, Any]:
    path = folder / "pictures.bson"
    write_file(path, pictures)
    cv2.setNumThreads(1)
    embedder = InProcessEmbedder(BUNDLED / "descriptor")
    cores = os.sched_getaffinity(0)
    places: dict[str, AbstractSet[int]] = {"one_core": {min(cores)}, "all_cores": cores}
    taken: dict[str, list[Round]] = {name: [] for name in places}
    for _ in range(rounds):
        for name, place in places.items():
            taken[name].append(one_round(embedder, path, place))
    return {"pictures": pictures} | {name: said(each) for name, each in taken.items()}


def said(rounds: list[Round]) -> dict[str, float]:
    """Medians; the microseconds that each phase adds to a picture are differences between paces."""
    bare, written, searchable = (
        statistics.median(getattr(one, name) for one in rounds)
        for name in ("bare", "written", "searchable")
    )
    return {
        "bare_per_second": round(bare, 1),
        "written_per_second": round(written, 1),
        "searchable_per_second": round(searchable, 1),
        "embedding_us": round(1e6 / bare),
        "storing_us": round(1e6 / written - 1e6 / bare),
        "indexing_after_us": round(1e6 / searchable - 1e6 / written),
        "share": round(statistics.median(one.searchable / one.bare for one in rounds), 3),
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    alone, all_ = found["one_core"]["share"], found["all_cores"]["share"]
    return [
        at_least("whole import against the bare loop, both on one core", alone, SHARE, "share"),
        at_least("whole import on all cores against one bare loop", all_, SHARE, "share"),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    asked = parser.parse_args()
    pictures, rounds = (64, 1) if asked.quick else (asked.pictures, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), pictures=pictures, rounds=rounds)
    tell("importing", claims(found), found)


if __name__ == "__main__":
    main()
