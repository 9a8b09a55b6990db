"""The bare embed loop: pictures of a file decoded, embedded and made thumbnails of, and nothing kept.

It is what an import is measured by: the part of the work that no import can do without.
"""

import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

import cv2

from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import BUNDLED, DEFAULT
from shared.sources.bson import decode
from shared.sources.records import Record

MODEL = BUNDLED / DEFAULT


@dataclass(frozen=True)
class Pace:
    """Pictures a second by the clock, and CPU seconds a picture, whatever else the machine does."""

    per_second: float
    cpu_s: float


def bare_loop(embedder: InProcessEmbedder, path: Path) -> Pace:
    begun, before, count = time.perf_counter(), time.process_time(), 0
    for record in decode(path.read_bytes()):
        if isinstance(record, Record):
            count += len(embedder.embed(record.held, thumbnails=True))
    return Pace(count / (time.perf_counter() - begun), (time.process_time() - before) / count)


def loops_at_once(path: Path, cores: Sequence[int]) -> list[Pace]:
    """One process a core, each over the whole file, begun together."""
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(len(cores))
    with ProcessPoolExecutor(len(cores), spawning, _share, (start,)) as pool:
        return list(pool.map(_loop, [path] * len(cores), cores))


_start: Barrier | None = None


def _share(start: Barrier) -> None:
    """A barrier reaches a process only as it is started."""
    global _start  # noqa: PLW0603
    _start = start


def _loop(path: Path, core: int) -> Pace:
    os.sched_setaffinity(0, {core})
    cv2.setNumThreads(1)
    embedder = InProcessEmbedder(MODEL)
    if _start is not None:
        _start.wait()
    return bare_loop(embedder, path)
