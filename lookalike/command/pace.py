"""How quickly models embed, measured here and now: `lookalike model bench`."""

import os
import statistics
import time
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import cv2

from lookalike.command.output import Tell
from lookalike.sample.catalogue import pictures as pictures_of
from lookalike.sample.inventing import invent
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import read_manifest

_SEED: Final = 1
_TURN: Final = 10
"""Pictures that a model embeds before it is the next one's turn: a slow moment hits all alike."""


def paces(folders: Sequence[Path], pictures: int, tell: Tell) -> list[dict[str, Any]]:
    """A line a model, the fastest first: decoding and embedding on one thread, one core."""
    jpegs = list(
        islice((data for n in count() for data in pictures_of(invent(_SEED, n))), pictures)
    )
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    cv2.setNumThreads(1)
    try:
        taken = _taken({folder: InProcessEmbedder(folder) for folder in folders}, jpegs, tell)
    finally:
        os.sched_setaffinity(0, cores)
    return sorted(
        (_line(folder, seconds) for folder, seconds in taken.items()),
        key=lambda line: -float(line["pictures/s"]),
    )


def _taken(
    models: dict[Path, InProcessEmbedder], jpegs: Sequence[bytes], tell: Tell
) -> dict[Path, float]:
    """Median seconds a picture."""
    taken: dict[Path, list[float]] = {folder: [] for folder in models}
    for model in models.values():
        model.embed(jpegs[:1])  # the first run of a network sets it up
    for at in range(0, len(jpegs), _TURN):
        turn = jpegs[at : at + _TURN]
        for folder, model in models.items():
            start = time.perf_counter()
            model.embed(turn)
            taken[folder].append((time.perf_counter() - start) / len(turn))
        tell(min(at + _TURN, len(jpegs)) * len(models), len(jpegs) * len(models))
    return {folder: statistics.median(seconds) for folder, seconds in taken.items()}


def _line(folder: Path, seconds: float) -> dict[str, Any]:
    manifest = read_manifest(folder)
    return {
        "name": manifest.name,
        "version": manifest.version,
        "variant": manifest.variant,
        "folder": folder.name,
        "pictures/s": round(1 / seconds, 1),
        "milliseconds each": round(1000 * seconds, 2),
    }
