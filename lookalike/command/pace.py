"""How quickly models embed, measured here and now: `lookalike model bench`."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, TypeVar

import cv2

from lookalike.command.output import Tell
from lookalike.sample.catalogue import pictures as pictures_of
from lookalike.sample.inventing import invent
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import read_manifest

_SEED: Final = 1
_TURN: Final = 10
"""Pictures that a model embeds before it is the next one's turn."""

Name = TypeVar("Name")
Round = Callable[[int], float]
"""One round, told its number: the processor's seconds for each picture."""


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


def medians(
    works: Mapping[Name, Round], rounds: int, done: Callable[[int], None] = lambda _: None
) -> dict[Name, float]:
    """Seconds of each; they take turns, so that a slow moment hits all. `done` is told of each round."""
    taken: dict[Name, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name, work in works.items():
            taken[name].append(work(number))
        done(number + 1)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _taken(
    models: dict[Path, InProcessEmbedder], jpegs: Sequence[bytes], tell: Tell
) -> dict[Path, float]:
    for model in models.values():
        model.embed(jpegs[:1])  # the first run of a network sets it up
    turns = [jpegs[at : at + _TURN] for at in range(0, len(jpegs), _TURN)]
    all_of_them = len(jpegs) * len(models)
    return medians(
        {folder: partial(_round, model, turns) for folder, model in models.items()},
        len(turns),
        lambda done: tell(min(done * _TURN * len(models), all_of_them), all_of_them),
    )


def _round(model: InProcessEmbedder, turns: Sequence[Sequence[bytes]], number: int) -> float:
    begun = time.process_time()
    model.embed(turns[number])
    return (time.process_time() - begun) / len(turns[number])


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
