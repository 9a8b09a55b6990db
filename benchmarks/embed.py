"""How quickly pictures become vectors on one core: `python -m benchmarks.embed [--model DIR] [--quick]`.

Pictures of 180 x 180 are drawn here, saved as JPEG and embedded again and again; what is compared
runs side by side in this one process.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.claims import Claim, at_least, at_most, options, tell
from benchmarks.drawing import jpegs
from services.embedder.decode import decode
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.local import ChildEmbedder
from services.embedder.model import BUNDLED
from shared.pictures import sniff

PICTURES = 48
ROUNDS = 9
SOURCE_PACE = 14.6
"""Pictures a second and core of the way that is replaced, as it was measured on a core of AMD EPYC."""
TIMES = 40


def seconds_each(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each, their rounds interleaved so that a slow moment hits all."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(one) for name, one in taken.items()}


def measured(model: Path, pictures: int) -> dict[str, Any]:
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    data = jpegs(pictures)
    with ChildEmbedder(model) as child:
        here = InProcessEmbedder(model)
        network = here._model  # noqa: SLF001  # the network alone is a figure of its own
        pixels = [decode(one).pixels for one in data]
        taken = seconds_each(
            {
                "sniff": lambda: [sniff(one) for one in data],
                "decode": lambda: [decode(one) for one in data],
                "decode_opencv": lambda: [
                    cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in data
                ],
                "network": lambda: [network.vector(one) for one in pixels],
                "in_process": lambda: here.embed(data),
                "child": lambda: child.embed(data),
            }
        )
    return {
        "microseconds_each": {n: round(s / pictures * 1e6, 1) for n, s in taken.items()},
        "bytes_each": round(statistics.mean(map(len, data))),
        "model": network.manifest.name,
        "fingerprint": network.spaces.fingerprint,
    }


def claims(micros: dict[str, float]) -> list[Claim]:
    pace, dear = 1e6 / micros["in_process"], micros["child"] / micros["in_process"]
    decoding = micros["decode"] / micros["decode_opencv"]
    return [
        at_least("pictures embedded on one core", pace, SOURCE_PACE * TIMES, "pictures/s"),
        at_most("decoding against OpenCV's decoder alone", decoding, 1.0, "times"),
        at_most("in a child process against in this one", dear, 1.2, "times"),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--model", type=Path, default=BUNDLED / "descriptor")
    asked = parser.parse_args()
    found = measured(asked.model, 4 if asked.quick else PICTURES)
    tell("embed", claims(found["microseconds_each"]), found)


if __name__ == "__main__":
    main()
