"""How quickly pictures become vectors on one core: `python benchmarks/embed.py [MODEL]`.

Pictures of 180 x 180 are drawn here, saved as JPEG and embedded again and again; what is compared
runs side by side in this one process.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from services.embedder.decode import decode
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.local import ChildEmbedder
from services.embedder.model import BUNDLED
from shared.pictures import sniff

PICTURES = 48
ROUNDS = 9


def jpegs(side: int = 180) -> list[bytes]:
    """Blots on soft ground with some grain: as hard to decode as a shop's photo (about 9 kB)."""
    rng = np.random.default_rng(3)
    made = []
    for _ in range(PICTURES):
        rough = rng.integers(120, 255, (5, 5, 3)).astype(np.float32)
        pixels = cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC)
        points = rng.integers(20, side - 20, (7, 2)).astype(np.int32)
        cv2.fillPoly(pixels, [points], [int(value) for value in rng.integers(0, 200, 3)])
        grainy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
        made.append(cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return made


def seconds_each(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each, their rounds interleaved so that a slow moment hits all."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(one) for name, one in taken.items()}


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "unknown")


def main(model: Path) -> None:
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    data = jpegs()
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
    micros = {name: round(seconds / PICTURES * 1e6, 1) for name, seconds in taken.items()}
    claims = [
        {"name": "images_per_second_one_core", "value": round(1e6 / micros["in_process"], 1)},
        {"name": "decode_us", "value": micros["decode"]},
        {
            "name": "child_over_in_process",
            "value": round(micros["child"] / micros["in_process"], 3),
        },
    ]
    details = {
        "microseconds_each": micros,
        "bytes_each": round(statistics.mean(map(len, data))),
        "model": network.manifest.name,
        "fingerprint": network.spaces.fingerprint,
    }
    machine = {"processor": processor(), "python": platform.python_version(), "cores_used": 1}
    print(json.dumps({"bench": "embed", "machine": machine, "claims": claims, "details": details}))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLED / "descriptor")
