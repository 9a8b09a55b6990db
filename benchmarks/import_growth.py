"""Whether an import keeps its pace as it goes on: `python -m benchmarks.import_growth [--pictures N]
[--window N] [--drawn N] [--quick]`.

One file is imported, and after every window of pictures it is told how long it took by the clock and how
much CPU time the house and its children used, a picture. Growth is judged by CPU time, since the machine
may have other work; of it, the share of those who embed is told apart, which is the same work at every size
and yet dearer where cores are shared, and that of indexing, whose large merges come in fits, each a process
of its own. Memory is the most that all processes took at once in a window, and what of it is no mapped file.
The pictures are a few drawn ones, numbered: see `benchmarks.feeds`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_least, options, tell
from benchmarks.feeds import write_feed
from benchmarks.house import House, all_searchable, begin, house, until
from benchmarks.load import Call, Client
from benchmarks.processes import (
    Peak,
    children,
    cpu_seconds,
    own_seconds,
    seconds_of_threads,
    watched,
)
from shared.jobs import FINISHED

PICTURES = 100_000
WINDOW = 10_000
DRAWN = 3_000
FLAT = 0.9
PAUSE_S = 1.0
INDEXING = ("index-0", "build-0")


@dataclass(frozen=True)
class Moment:
    """How far the import was, and what had been used until then, in seconds."""

    pictures: int
    clock_s: float
    cpu_s: float
    own_s: float
    embedders_s: float
    threads_s: dict[str, float]
    megabytes: dict[str, float]
    """Since the moment before."""


def moments(running: House, client: Client, path: Path, window: int) -> Iterator[Moment]:
    """At the start, whenever another window is full, and at the end of the import."""
    embedders = children(running.pid)  # before there is anything to merge
    with watched(running.pid) as peak:
        yield moment(running, embedders, peak, 0)
        import_id, wanted = begin(client, path), window
        while True:
            job = client.json(Call("GET", f"/v1/jobs/{import_id}"))
            done, ended = job["progress"]["pictures"], job["state"] in FINISHED
            if done >= wanted or ended:
                yield moment(running, embedders, peak, done)
                wanted = done - done % window + window
            if ended:
                return
            time.sleep(PAUSE_S)


def moment(running: House, embedders: list[int], peak: Peak, pictures: int) -> Moment:
    return Moment(
        pictures,
        time.perf_counter(),
        cpu_seconds(running.pid),
        own_seconds(running.pid),
        sum(cpu_seconds(one) for one in embedders),
        seconds_of_threads(running.pid, running.threads),
        peak.taken(),
    )


def measured(folder: Path, *, pictures: int, window: int, drawn: int) -> dict[str, Any]:
    """Windows are told on standard error as they come, for a run may take an hour."""
    path = folder / "pictures.bson"
    write_feed(path, pictures, drawn=drawn)
    with house(folder) as running:
        client = running.client()
        seen: list[Moment] = []
        for found in moments(running, client, path, window):
            if seen and found.pictures > seen[-1].pictures:
                sys.stderr.write(f"{json.dumps(between(seen[-1], found))}\n")
            seen.append(found)
        waited = until(lambda: all_searchable(client), pause=PAUSE_S, within_s=3_600)
        client.close()
    # The end of the import, where twins are looked for, is no window of its own.
    windows = [
        between(one, other) for one, other in pairwise(seen) if other.pictures > one.pictures
    ]
    ending = seen[-1].clock_s - seen[-2].clock_s if seen[-1].pictures == seen[-2].pictures else 0
    return {
        "pictures": pictures,
        "windows": windows,
        "ending_s": round(ending, 1),
        "searchable_after_s": round(waited, 1),
    }


def between(one: Moment, other: Moment) -> dict[str, float]:
    pictures = other.pictures - one.pictures
    spent = {name: other.threads_s[name] - one.threads_s[name] for name in other.threads_s}
    spent |= {"all": other.cpu_s - one.cpu_s, "embedders": other.embedders_s - one.embedders_s}
    spent["merges"] = spent["all"] - spent["embedders"] - (other.own_s - one.own_s)
    us = {name: round(seconds / pictures * 1e6) for name, seconds in spent.items()}
    return {
        "until": other.pictures,
        "per_second": round(pictures / (other.clock_s - one.clock_s), 1),
        "cpu_us": us["all"],
        "embedding_us": us["embedders"],
        "catalogue_us": us.get("catalogue-writer", 0),
        "indexing_us": sum(us.get(name, 0) for name in INDEXING) + us["merges"],
        "megabytes": round(other.megabytes["together"]),
        "megabytes_of_no_file": round(other.megabytes["of_no_file"]),
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    first, last = found["windows"][0], found["windows"][-1]
    name = f"CPU time a picture at {first['until']:,} against at {last['until']:,} pictures"
    return [at_least(name, first["cpu_us"] / last["cpu_us"], FLAT, "times")]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--window", type=int, default=WINDOW)
    parser.add_argument("--drawn", type=int, default=DRAWN, help="of which the others are copies")
    asked = parser.parse_args()
    pictures, window = (512, 128) if asked.quick else (asked.pictures, asked.window)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), pictures=pictures, window=window, drawn=asked.drawn)
    tell("import_growth", claims(found), found)


if __name__ == "__main__":
    main()
