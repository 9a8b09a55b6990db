"""Every way from a picture's bytes to its vector that this machine can go: the rows of the table."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.drawing import jpegs
from benchmarks.runtimes import (
    Absent,
    OnnxNetwork,
    OpenVinoNetwork,
    SourceWay,
    installed,
    same_vectors,
)
from benchmarks.worth import FP32, quality, remark
from lookalike.command.pace import Round
from services.embedder.decode import decode
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import WEIGHTS, Model, read_manifest
from services.embedder.networks import LiteRtNetwork, Network
from shared.seams.embedder import Embedding
from shared.sources.bson import decode as records
from shared.sources.records import Record

SOURCE_WAY = "the way that is replaced"
IN_TENSORFLOW = "TensorFlow"
OURS = "LiteRT"


@dataclass(frozen=True)
class Row:
    """A way, and what goes it once; or why nothing does."""

    name: str
    runtime: str
    round: Round | None = None
    quality: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def told(self, seconds: float | None, source: float | None) -> dict[str, Any]:
        """As a line of the table; the processor's seconds a picture, of this way and of the replaced one."""
        times = None if seconds is None or source is None else round(source / seconds, 2)
        return {
            "name": self.name,
            "runtime": self.runtime,
            "pictures_per_second": None if seconds is None else round(1 / seconds, 1),
            "times_the_replaced": times,
            "quality": {name: round(value, 3) for name, value in self.quality.items()},
            "note": self.note,
        }


@dataclass(frozen=True)
class Feeds:
    """BSON as shops deliver it: many pictures, and few for what takes long, so that rounds are alike."""

    many: Path
    few: Path
    few_pictures: int


def through(embedder: InProcessEmbedder, feed: bytes, _number: int = 0) -> float:
    """The processor's seconds a picture, from the bytes of a file to vectors."""
    begun, count = time.process_time(), 0
    for record in records(feed):
        found = embedder.embed(record.held) if isinstance(record, Record) else []
        if not all(isinstance(one, Embedding) for one in found):
            raise ValueError("a picture was not embedded, so that the round tells nothing")
        count += len(found)
    return (time.process_time() - begun) / count


def ours(folders: Sequence[Path], feed: Path, data: Path | None) -> Iterator[Row]:
    """Models as Lookalike runs them."""
    for folder in folders:
        go = _ready(InProcessEmbedder(folder), feed)
        worth, note = quality(folder, data), remark(folder, folders, data)
        yield Row(_title(folder), OURS, go, worth, note)


def elsewhere(folders: Sequence[Path], feed: Path, scratch: Path, *, quick: bool) -> Iterator[Row]:
    """The same weights in other runtimes; a quick run leaves out what TensorFlow has to convert.

    Variants stay out: how eight bits are rounded is every runtime's own.
    """
    runtimes: dict[str, Callable[[Path], Network]] = {
        "OpenVINO": OpenVinoNetwork,
        "ONNX Runtime": lambda weights: OnnxNetwork(weights, scratch),
    }
    if quick:
        runtimes["ONNX Runtime"] = _left_out
    for folder in (one for one in folders if read_manifest(one).variant == FP32):
        for runtime, make in runtimes.items():
            yield _or_why_not(_title(folder), runtime, partial(_elsewhere, folder, feed, make))


def raw(feed: Path, scratch: Path, data: Path | None, *, quick: bool) -> Iterator[Row]:
    """Networks of others, run as ours are."""
    try:
        folders = _left_out(scratch) if quick else _raw_networks(scratch, data)
    except Absent as absent:
        yield Row("MobileNetV2 and ResNet50, raw", OURS, note=str(absent))
    else:
        yield from ours(folders, feed, data)


def replaced(python: str | None, feeds: Feeds, *, quick: bool) -> tuple[Row, SourceWay | None]:
    """The source systems' way, and its process to close."""
    try:
        way = _left_out(feeds.few) if quick else SourceWay(python, feeds.few, feeds.few_pictures)
    except Absent as absent:
        return Row(SOURCE_WAY, IN_TENSORFLOW, note=str(absent)), None
    note = "MobileNetV2 1.0 at 224, one predict a picture; random weights: its pace only"
    return Row(SOURCE_WAY, IN_TENSORFLOW, way, note=note), way


def _elsewhere(folder: Path, feed: Path, make: Callable[[Path], Network]) -> Round:
    manifest, network = read_manifest(folder), make(folder / WEIGHTS)
    framed = manifest.preprocessing(decode(jpegs(1)[0]).pixels)
    same_vectors(LiteRtNetwork((folder / WEIGHTS).read_bytes()), network, framed)
    return _ready(InProcessEmbedder(Model(manifest, network)), feed)


def _ready(embedder: InProcessEmbedder, feed: Path) -> Round:
    """The first run of a network sets it up, and is not counted."""
    embedder.embed(jpegs(1))
    return partial(through, embedder, feed.read_bytes())


def _or_why_not(name: str, runtime: str, make: Callable[[], Round]) -> Row:
    try:
        return Row(name, runtime, make())
    except Absent as absent:
        return Row(name, runtime, note=str(absent))


def _title(folder: Path) -> str:
    manifest = read_manifest(folder)
    return manifest.name if manifest.variant == FP32 else f"{manifest.name} {manifest.variant}"


def _left_out(_: Path) -> Any:
    raise Absent("left out of a quick run: TensorFlow takes long to load")


def _raw_networks(scratch: Path, data: Path | None) -> list[Path]:
    """Their folders, made by a process of its own, which loads TensorFlow."""
    installed("tensorflow")
    command = [sys.executable, "-m", "benchmarks.raw_networks", str(scratch)]
    command += [str(data)] if data else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Absent(f"could not be made: {done.stderr.strip().splitlines()[-1]}")
    return sorted(path.parent for path in scratch.glob(f"*/{WEIGHTS}"))
