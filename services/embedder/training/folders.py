"""A model's folder comes whole or not at all, and brings drawn pictures to check itself on."""

import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from services.embedder.heads import HEADS, Head, Heads, read_heads, write_heads
from services.embedder.model import (
    GOLDEN,
    GOLDEN_VECTORS,
    Manifest,
    Model,
    fingerprinted_by,
    verify,
    write_manifest,
)
from services.embedder.networks import weights_of
from services.embedder.training.drawings import (
    Pixels,
    draw,
    draw_palette,
    draw_pattern,
    draw_shape,
)
from shared.errors import Conflict, Unavailable
from shared.spaces import SpaceName

GOLDEN_PICTURES: Final = 4
TRAINED: Final = "trained.npz"
"""A network's own numbers, beside what was made of them; no fingerprint depends on it."""
_SEED: Final = 11
_PACED_S: Final = 0.5


def check_free(out: Path) -> None:
    """Called before the work begins, too: nobody trains an hour to hear of it at the end."""
    if out.exists():
        raise Conflict(f"{out} is there already; name a folder that is not.", code="exists")
    there = next(folder for folder in out.absolute().parents if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=there):
            pass
    except OSError as error:
        raise Unavailable(
            f"{out} could not be written: {there}: {error.strerror}.", code="not_written"
        ) from error


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A folder to fill beside `out`, which it becomes at the end; an error leaves neither."""
    check_free(out)
    half_written = out.with_name(out.name + ".part")
    shutil.rmtree(half_written, ignore_errors=True)
    try:
        half_written.mkdir(parents=True)
        yield half_written
        half_written.replace(out)
    except OSError as error:
        raise Unavailable(
            f"{out} could not be written: {error.strerror or error}. Nothing of it is left; the "
            "same again goes on from what was saved on the way.",
            code="not_written",
        ) from error
    finally:
        shutil.rmtree(half_written, ignore_errors=True)


def finish(folder: Path, manifest: Manifest, pictures: list[Pixels]) -> Manifest:
    """Manifest, golden pictures and vectors of a folder that has its network; verified by loading."""
    _, network = weights_of(folder, manifest.runtime)
    model = Model(manifest, network(), read_heads(folder))
    (folder / GOLDEN).mkdir(exist_ok=True)
    for number, picture in enumerate(pictures):
        _write_png(folder / GOLDEN / f"{number}.png", picture)
    np.save(folder / GOLDEN_VECTORS, np.stack([model.vector(picture) for picture in pictures]))
    write_manifest(folder, replace(manifest, pace=pace(model)))
    return verify(folder)


def with_head(parent: Path, out: Path, head: Head, told: Manifest) -> Manifest:
    """A copy of the parent whose content goes through `head`, in place of the one it had.

    `told` is the parent's manifest but for what the new model says of itself. What the parent's
    network can be taught further by stays behind: who goes on from here teaches the head.
    """
    with whole(out) as folder:
        left = shutil.ignore_patterns(HEADS, GOLDEN.name, TRAINED)
        shutil.copytree(parent, folder, ignore=left, dirs_exist_ok=True)
        heads: Heads = {**read_heads(parent), "content": head}
        write_heads(folder, heads)
        dims: dict[SpaceName, int] = {space.name: space.dim for space in told.spaces.spaces}
        manifest = replace(
            told,
            spaces=fingerprinted_by(told.weights_sha256, told.preprocessing, dims, heads),
            sizes={**told.sizes, HEADS: (folder / HEADS).stat().st_size},
        )
        return finish(folder, manifest, drawn())


def drawn() -> list[Pixels]:
    """The same for every model, drawn by the project itself: no photo of a shop leaves with one."""
    rng = np.random.default_rng(_SEED)
    return [
        draw(draw_shape(rng), draw_pattern(rng), draw_palette(rng), rng)
        for _ in range(GOLDEN_PICTURES)
    ]


def pace(model: Model, seconds: float = _PACED_S) -> dict[str, Any]:
    """Pictures a second on one core, from decoded pixels on, and on which processor.

    By the processor's time, so that what else runs on this machine changes little.
    """
    picture = drawn()[0]
    model.vector(picture)  # the first run prepares the network
    begun, count = time.process_time(), 0
    while (taken := time.process_time() - begun) < seconds:
        model.vector(picture)
        count += 1
    return {"pictures_per_second": round(count / taken, 1), "processor": _processor()}


def _write_png(path: Path, picture: Pixels) -> None:
    path.write_bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
