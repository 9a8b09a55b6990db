"""A whole import beside the bare embed loop: `python -m benchmarks.import_pace [--pictures N] [--quick]`.

The import is the real one, over HTTP into an embedded house: the file is planned, its pictures are
decoded, embedded and stored, and its products written and indexed, until all of them are searchable.
The bare loop decodes and embeds the same pictures and makes their thumbnails, and keeps nothing. Both
take turns, each round with a fresh folder: bound to one core, as a worker is paid for, and on all cores,
where as many bare loops run at once. Shares are told by the clock and by CPU seconds a picture, which
whatever else the machine does changes less.

`--source-python PATH` names a Python that has TensorFlow, Pillow and pymongo: with it the way of the
systems that are replaced runs in every round too, on the same core. Without it, their pace is the one of
the design, measured on another machine: no claim is made of it.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib.util import find_spec
from os import sched_getaffinity
from pathlib import Path
from typing import Any

import cv2

from benchmarks.bare import MODEL, Pace, bare_loop, loops_at_once
from benchmarks.claims import Claim, at_least, options, tell
from benchmarks.feeds import write_feed
from benchmarks.house import bring_in, house
from benchmarks.processes import cpu_seconds, on, seconds_of_threads
from services.embedder.inprocess import InProcessEmbedder

PICTURES = 600
ROUNDS = 2
SHARE = 0.7
SOURCE_PICTURES = 40
SOURCE_TIMES = 28
"""Forty times the old pace is what embedding alone is to reach, and an import seven tenths of that."""
SOURCE_PACE_ELSEWHERE = 14.6
SCRIPT = Path(__file__).with_name("source_way.py")


@dataclass(frozen=True)
class Whole:
    """An import: pictures a second until written and until searchable, and where its time went.

    `steps` are microseconds a picture, as waited for and of the caller's CPU; `threads` of CPU alone.
    """

    written: float
    searchable: Pace
    steps: Mapping[str, tuple[float, float]]
    threads: Mapping[str, float]


@dataclass(frozen=True)
class Round:
    bare: Pace
    whole: Whole
    source: Pace | None

    @property
    def share(self) -> float:
        return self.whole.searchable.per_second / self.bare.per_second

    @property
    def cpu_share(self) -> float:
        return self.bare.cpu_s / self.whole.searchable.cpu_s


def whole_import(path: Path) -> Whole:
    """Starting the house is not counted."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        source = Path(folder, path.name)
        source.hardlink_to(path)
        with house(Path(folder)) as running:
            client = running.client()
            before = cpu_seconds(running.pid)
            by_thread = seconds_of_threads(running.pid, running.threads)
            done = bring_in(client, source)
            spent = cpu_seconds(running.pid) - before
            after = seconds_of_threads(running.pid, running.threads)
            client.close()
    own = {name: after[name] - by_thread[name] for name in after}
    # What no thread that was there at the start has used: the children, and the threads of requests.
    others = spent - sum(own.values())
    each = 1e6 / done.pictures
    return Whole(
        done.pictures / done.written_s,
        Pace(done.pictures / done.searchable_s, spent / done.pictures),
        {name: (waited * each, own_ * each) for name, (waited, own_) in running.steps.items()},
        {
            name: seconds * each
            for name, seconds in {**own, "children and requests": others}.items()
        },
    )


def the_source_way(python: str | None, path: Path, pictures: int) -> Pace | None:
    if python is None:
        return None
    command = [python, str(SCRIPT), str(path), str(pictures)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    per_second, cpu_s = map(float, done.stdout.split())
    return Pace(per_second, cpu_s)


def one_core(path: Path, core: int, python: str | None, source_pictures: int) -> Round:
    with on({core}):
        bare = bare_loop(InProcessEmbedder(MODEL), path)
        return Round(bare, whole_import(path), the_source_way(python, path, source_pictures))


def all_cores(path: Path, cores: AbstractSet[int]) -> Round:
    """The bare loops' paces added up."""
    loops = loops_at_once(path, sorted(cores))
    bare = Pace(sum(p.per_second for p in loops), statistics.mean(p.cpu_s for p in loops))
    return Round(bare, whole_import(path), None)


def measured(
    folder: Path, *, pictures: int, rounds: int, python: str | None, source_pictures: int
) -> dict[str, Any]:
    path = folder / "pictures.bson"
    write_feed(path, pictures)
    cv2.setNumThreads(1)
    cores = sched_getaffinity(0)
    alone, together = [], []
    for _ in range(rounds):
        alone.append(one_core(path, min(cores), python, source_pictures))
        together.append(all_cores(path, cores))
    return {"pictures": pictures, "one_core": said(alone), "all_cores": said(together)}


def said(rounds: list[Round]) -> dict[str, Any]:
    """Medians; the steps and threads are those of the last round."""
    source = [one.source for one in rounds if one.source is not None]
    known = {
        "bare_per_second": [one.bare.per_second for one in rounds],
        "written_per_second": [one.whole.written for one in rounds],
        "searchable_per_second": [one.whole.searchable.per_second for one in rounds],
        "bare_cpu_us": [one.bare.cpu_s * 1e6 for one in rounds],
        "import_cpu_us": [one.whole.searchable.cpu_s * 1e6 for one in rounds],
        "source_per_second": [one.per_second for one in source],
        "source_cpu_us": [one.cpu_s * 1e6 for one in source],
    }
    last = rounds[-1].whole
    return {
        **{name: round(statistics.median(each), 1) for name, each in known.items() if each},
        "share": statistics.median(one.share for one in rounds),
        "cpu_share": statistics.median(one.cpu_share for one in rounds),
        "steps_us": {
            name: {"waited": round(waited), "own_cpu": round(own)}
            for name, (waited, own) in last.steps.items()
        },
        "threads_cpu_us": {name: round(us) for name, us in last.threads.items() if us >= 1},
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    alone = found["one_core"]
    made = [
        at_least("whole import against the bare loop, one core", alone["share"], SHARE, "share"),
        at_least(
            "whole import against the bare loop, one core, by CPU seconds",
            alone["cpu_share"],
            SHARE,
            "share",
        ),
        at_least(
            "whole import against a bare loop on each of all cores, by CPU seconds",
            found["all_cores"]["cpu_share"],
            SHARE,
            "share",
        ),
    ]
    if "source_cpu_us" in alone:
        name = "whole import against one predict a picture, by CPU seconds"
        times = alone["source_cpu_us"] / alone["import_cpu_us"]
        made.append(at_least(name, times, SOURCE_TIMES, "times"))
    return made


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    here = sys.executable if find_spec("tensorflow") and find_spec("PIL") else None
    parser.add_argument("--source-python", default=here, help="has TensorFlow, Pillow and pymongo")
    asked = parser.parse_args()
    pictures, rounds, old = (64, 1, 5) if asked.quick else (asked.pictures, ROUNDS, SOURCE_PICTURES)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(
            Path(folder),
            pictures=pictures,
            rounds=rounds,
            python=asked.source_python,
            source_pictures=old,
        )
    if asked.source_python is None:
        found["source_per_second_elsewhere"] = SOURCE_PACE_ELSEWHERE
    tell("import_pace", claims(found), found)


if __name__ == "__main__":
    main()
