"""How quickly pictures become vectors on one core: `python -m benchmarks.embed [--model DIR] [--quick]`.

Every model that is bundled, the same weights in other runtimes, networks of others, and the way of the
systems that are replaced take turns in one run, by the processor's seconds. Pictures of 180 x 180 are
drawn here and lie in a file as shops deliver it. LOOKALIKE_DATA names photos and weights, where there are
any; `--model` measures folders beside the bundled ones. What is missing is told in its row.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.claims import Claim, at_least, at_most, options, tell
from benchmarks.contestants import OURS, SOURCE_WAY, Feeds, elsewhere, ours, raw, replaced
from benchmarks.drawing import jpegs
from benchmarks.feeds import write_feed
from benchmarks.processes import on
from lookalike.command.pace import medians
from services.embedder.decode import decode
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.local import ChildEmbedder
from services.embedder.model import BUNDLED, DEFAULT, load, read_manifest
from services.embedder.registry import bundled
from shared.pictures import sniff

PICTURES = 48
FEW = 6
ROUNDS = 9
TIMES: Mapping[str, float] = {"small": 40, "base": 5}
"""By a bundled model's name: how many times the pace of the way that is replaced it is to reach."""


def parts(model: Path, data: Sequence[bytes], rounds: int) -> dict[str, float]:
    """Microseconds a picture of what embedding consists of, by the clock: a child's work counts too."""
    with ChildEmbedder(model) as child:
        network, here = load(model), InProcessEmbedder(model)
        pixels = [decode(one).pixels for one in data]
        works: dict[str, Callable[[], object]] = {
            "sniff": lambda: [sniff(one) for one in data],
            "decode": lambda: [decode(one) for one in data],
            "decode_opencv": lambda: [
                cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in data
            ],
            "network": lambda: [network.vector(one) for one in pixels],
            "in_process": lambda: here.embed(data),
            "child": lambda: child.embed(data),
        }
        taken = medians(
            {name: _by_the_clock(work, len(data)) for name, work in works.items()}, rounds
        )
    return {name: round(seconds * 1e6, 1) for name, seconds in taken.items()}


def _by_the_clock(work: Callable[[], object], pictures: int) -> Callable[[int], float]:
    def once(_number: int) -> float:
        begun = time.perf_counter()
        work()
        return (time.perf_counter() - begun) / pictures

    return once


def feeds(folder: Path, many: int) -> Feeds:
    made = Feeds(folder / "many.bson", folder / "few.bson", min(FEW, many))
    write_feed(made.many, many)
    write_feed(made.few, made.few_pictures)
    return made


def photos_and_weights() -> Path | None:
    """Where LOOKALIKE_DATA says, if photos are there."""
    data = Path(os.environ.get("LOOKALIKE_DATA", os.devnull))
    return data if (data / "clothing" / "validation").is_dir() else None


def table(folders: Sequence[Path], asked: argparse.Namespace, rounds: int) -> list[dict[str, Any]]:
    """A line for each way, all of them measured in turns; first the models."""
    data = None if asked.quick else photos_and_weights()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pictures = feeds(scratch, 4 if asked.quick else PICTURES)
        source, way = replaced(asked.source_python, pictures, quick=asked.quick)
        if way is not None:
            stack.enter_context(way)
        rows = [
            *ours(folders, pictures.many, data),
            *elsewhere(folders, pictures.many, scratch, quick=asked.quick),
            *raw(pictures.few, scratch, data, quick=asked.quick),
            source,
        ]
        taken = medians({n: one.round for n, one in enumerate(rows) if one.round}, rounds)
        of_source = taken.get(len(rows) - 1)
    return [one.told(taken.get(n), of_source) for n, one in enumerate(rows)]


def claims(micros: Mapping[str, float], rows: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Of a bundled model's pace only where the way that is replaced took its turns as well."""
    reached = {
        row["name"]: row["times_the_replaced"]
        for row in rows
        if row["runtime"] == OURS and row["times_the_replaced"] is not None
    }
    return [
        *(
            at_least(f"{name} against {SOURCE_WAY}, on one core", reached[name], times, "times")
            for name, times in TIMES.items()
            if name in reached
        ),
        at_most(
            "decoding against OpenCV's decoder alone",
            micros["decode"] / micros["decode_opencv"],
            1.0,
            "times",
        ),
        at_most(
            "in a child process against in this one",
            micros["child"] / micros["in_process"],
            1.2,
            "times",
        ),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--model", type=Path, action="append", default=[], help="one more folder")
    parser.add_argument("--source-python", help="has TensorFlow, Pillow and pymongo")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    model, rounds = BUNDLED / DEFAULT, 2 if asked.quick else ROUNDS
    with on({min(os.sched_getaffinity(0))}):
        rows = table([*bundled(), *asked.model], asked, rounds)
        data = jpegs(4 if asked.quick else PICTURES)
        micros = parts(model, data, rounds)
    details = {
        "compared": rows,
        "microseconds_each": micros,
        "bytes_each": round(statistics.mean(map(len, data))),
        "model": DEFAULT,
        "fingerprint": read_manifest(model).spaces.fingerprint,
    }
    tell("embed", claims(micros, rows), details)


if __name__ == "__main__":
    main()
