"""One photo in several savings, found: `python -m benchmarks.import_duplicates [--quick]`.

Drawn products' pictures are saved anew in the ways that shops and their suppliers save them, and
judged as at an import's end: by hash and by vectors. With LOOKALIKE_DATA=FOLDER the photos of
FOLDER/clothing and FOLDER/grocery are judged too. Hashes that are told of although the pictures are
different are counted over all pairs; among photos of one shelf some really are one moment.
Then near hashes are looked for among synthetic ones, with crowds of plain pictures between them, and
a whole report is written over a SQLite catalogue. One JSON object is printed.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from benchmarks.claims import Claim, at_least, at_most, options, tell
from lookalike.sample.catalogue import pictures
from lookalike.sample.inventing import invent
from services.embedder.decode import decode
from services.embedder.hamming import pairs
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import BUNDLED, DEFAULT
from services.embedder.ports import Ports
from services.embedder.twins import NEAR, alike, find_twins, likeness
from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import ImageWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.targets import Targets
from shared.images import Place
from shared.jobs import Import
from shared.places import Places
from shared.queue.local import LocalQueue
from shared.seams.embedder import Embedding
from shared.spaces import SAME_PHOTO, Spaces
from shared.vectors import Floats

Pixels = NDArray[Any]
Hashes = NDArray[np.uint64]
JUDGED: Final = 150
"""Pictures of a collection that are saved anew, each in every way."""
TOGETHER: Final = 1_000
RE_ENCODED: Final = 0.98
TRIMMED: Final = 0.85
SECONDS: Final = 30.0


def jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """As most programs save it: with half the colour."""
    ready = np.ascontiguousarray(pixels.astype(np.uint8))
    return bytes(simplejpeg.encode_jpeg(ready, quality=quality, colorsubsampling="420"))


def webp(pixels: Pixels) -> bytes:
    wanted = [cv2.IMWRITE_WEBP_QUALITY, 75]
    return bytes(cv2.imencode(".webp", pixels[..., ::-1], wanted)[1])


def scaled(pixels: Pixels, factor: float) -> Pixels:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how)


def trimmed(pixels: Pixels, share: float) -> Pixels:
    rows, columns = (round(side * share / 2) for side in pixels.shape[:2])
    return pixels[rows : len(pixels) - rows, columns : pixels.shape[1] - columns]


def lit(pixels: Pixels, factor: float) -> Pixels:
    return np.asarray(np.clip(pixels.astype(np.float32) * factor, 0, 255))


ANEW: Final[Mapping[str, Callable[[Pixels], bytes]]] = {
    "JPEG 80": lambda p: jpeg(p, 80),
    "JPEG 60": lambda p: jpeg(p, 60),
    "JPEG 40": lambda p: jpeg(p, 40),
    "WebP 75": webp,
    "half the size": lambda p: jpeg(scaled(p, 0.5)),
    "three quarters": lambda p: jpeg(scaled(p, 0.75)),
    "one and a half": lambda p: jpeg(scaled(p, 1.5)),
    "twice the size": lambda p: jpeg(scaled(p, 2)),
    "half the size, JPEG 60": lambda p: jpeg(scaled(p, 0.5), 60),
    "2 % trimmed": lambda p: jpeg(trimmed(p, 0.02)),
    "5 % trimmed": lambda p: jpeg(trimmed(p, 0.05)),
    "10 % brighter": lambda p: jpeg(lit(p, 1.1)),
    "10 % darker": lambda p: jpeg(lit(p, 0.9)),
}
SAME: Final = tuple(ANEW)[:9]
"""Re-encoded or resized, and nothing else."""
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "re-encoded": SAME[:4],
    "resized": SAME[4:8],
    **{name: (name,) for name in tuple(ANEW)[8:]},
}
"""Of ways that are told as one, what was found least."""


@dataclass(frozen=True)
class Seen:
    """Hashes and vectors, a row a picture."""

    hashes: Hashes
    vectors: Floats

    def rows(self, which: Any) -> "Seen":
        return Seen(self.hashes[which], self.vectors[which])


def seen(embedder: InProcessEmbedder, data: Sequence[bytes]) -> Seen:
    found = [one for one in embedder.embed(data) if isinstance(one, Embedding)]
    hashes = np.array([int(one.phash, 16) for one in found], np.uint64)
    return Seen(hashes, np.stack([np.frombuffer(one.vector, np.float32) for one in found]))


def same(one: Seen, other: Seen, spaces: Spaces) -> NDArray[np.bool_]:
    """Row by row, as an import's end judges."""
    near = np.bitwise_count(one.hashes ^ other.hashes) <= NEAR
    judged: NDArray[np.bool_] = near & alike(likeness(one.vectors, other.vectors, spaces))
    return judged


def collections(drawn: int) -> Iterator[tuple[str, list[bytes]]]:
    """By name, pictures whose bytes differ."""
    yield "drawn", [data for number in range(drawn) for data in pictures(invent(7, number))[:1]]
    data = os.environ.get("LOOKALIKE_DATA")
    for name in ("clothing", "grocery") if data else ():
        paths = sorted(Path(str(data), name).rglob("*.jpg"))
        random.Random(2).shuffle(paths)
        found = dict.fromkeys(path.read_bytes() for path in paths[: 2 * TOGETHER])
        yield name, list(found)


def judged(embedder: InProcessEmbedder, data: list[bytes], count: int) -> dict[str, Any]:
    """Recall for each way of saving, and pairs of different pictures that pass."""
    known = seen(embedder, data)
    pixels = [decode(one).pixels for one in data[:count]]
    recall = {
        name: float(
            same(
                known.rows(slice(count)),
                seen(embedder, [save(one) for one in pixels]),
                embedder.spaces,
            ).mean()
        )
        for name, save in ANEW.items()
    }
    found = pairs(known.hashes, np.ones(len(data), np.bool_), NEAR)
    passed = same(known.rows(found.first), known.rows(found.second), embedder.spaces)
    thousands = len(data) / 1_000
    return {
        "pictures": len(data),
        "found": {name: round(share, 3) for name, share in recall.items()},
        "near_pairs_per_1000_pictures": round(len(found) / thousands, 2),
        "told_pairs": int(passed.sum()),
    }


def hashes(count: int, *, crowded: bool) -> Hashes:
    """A tenth differs in four bits from another; crowded, a tenth is one hash or close to one."""
    rng = np.random.default_rng(6)
    made = rng.integers(0, 2**63, count).astype(np.uint64)
    tenth = count // 10
    made[:tenth] = made[tenth : 2 * tenth] ^ np.uint64(0x0001_0000_0101_0010)
    if crowded:
        made[-tenth:] = 1 << 63
        for _ in range(3):
            bits = rng.integers(0, 64, tenth // 2).astype(np.uint64)
            made[-tenth // 2 :][: len(bits)] ^= np.uint64(1) << bits
    return made


def core_seconds(count: int, *, crowded: bool) -> dict[str, float]:
    made = hashes(count, crowded=crowded)
    begun, work = time.perf_counter(), time.process_time()
    found = pairs(made, np.ones(count, np.bool_), NEAR)
    took = {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - work}
    planted = set(zip(range(count // 10), range(count // 10, count // 5), strict=False))
    hit = sum((first, second) in planted for first, second, _ in found)
    return {name: round(value, 1) for name, value in took.items()} | {
        "planted_found": round(hit / len(planted), 4)
    }


def reported(folder: Path, count: int, embedder: InProcessEmbedder) -> dict[str, float]:
    """The whole report over a catalogue of so many images, all brought by the import."""
    job = Import("imp_1", "shop", "bson", "file:/none", 0, 0, "running")
    blobs = FsspecBlobs(f"file://{folder}/blobs")
    with SqliteCatalogue(folder / "catalogue.sqlite") as catalogue:
        fill(catalogue, job, hashes(count, crowded=False), embedder.spaces)
        queue = LocalQueue(lambda _: None)
        places = Places(blobs, catalogue.office, ())
        ports = Ports(catalogue, blobs, queue, embedder, Targets(catalogue), places)
        begun = time.perf_counter()
        twins = find_twins(ports, job)
        return {
            "images": count,
            "groups": twins.groups,
            "pictures": twins.pictures,
            "seconds": round(time.perf_counter() - begun, 1),
        }


def fill(catalogue: SqliteCatalogue, job: Import, made: Hashes, spaces: Spaces) -> None:
    """Vectors differ from picture to picture, but not within a planted pair.

    Names are written in their order, as no import's are: by lot, a million wait ten minutes for the disk.
    """
    rng = np.random.default_rng(8)
    few = rng.standard_normal((1_000, spaces.dim)).astype(np.float32)
    for part in spaces.slices().values():
        few[:, part] /= np.linalg.norm(few[:, part], axis=1, keepdims=True)
    stored = [row.astype("<f2").tobytes() for row in few]
    late, tenth = catalogue.now() + 3_600_000, len(made) // 10
    place = Place(keys.pack(job.tenant, job.import_id, 0, 1), 0, 1)
    names = sorted(rng.bytes(32) for _ in made)
    for start in range(0, len(made), TOGETHER):
        catalogue.images.put(
            [
                ImageWrite(
                    *(job.tenant, names[n].hex(), place, "image/jpeg", 180, 180, late),
                    phash=f"{int(made[n]):016x}",
                    vectors=((spaces.fingerprint, stored[n % tenth % len(stored)]),),
                )
                for n in range(start, min(start + TOGETHER, len(made)))
            ]
        )


def compared(collections: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line of the table for each collection."""
    return [
        {
            "pictures": f"{one['pictures']:,} {name}",
            **{title: min(one["found"][how] for how in ways) for title, ways in COLUMNS.items()},
            "pairs told of different ones": one["told_pairs"],
        }
        for name, one in collections.items()
    ]


def claims(found: Mapping[str, Any]) -> list[Claim]:
    said = []
    for name, one in found["collections"].items():
        least = min(one["found"][how] for how in SAME)
        said.append(at_least(f"{name}: re-encoded or resized, found", least, RE_ENCODED, "share"))
        trim = one["found"]["2 % trimmed"]
        said.append(at_least(f"{name}: trimmed by 2 %, found", trim, TRIMMED, "share"))
    report = found["report"]
    return [
        *said,
        at_most(f"report over {report['images']:,} images", report["seconds"], SECONDS, "s"),
        at_most("crowds cost", found["crowd_factor"], 5.0, "times"),
    ]


def measured(folder: Path, *, drawn: int, judge: int, core: Sequence[int], report: int) -> Any:
    cv2.setNumThreads(1)
    embedder = InProcessEmbedder(BUNDLED / DEFAULT)
    plain = {str(count): core_seconds(count, crowded=False) for count in core}
    crowd = core_seconds(core[0], crowded=True)
    found = {name: judged(embedder, data, judge) for name, data in collections(drawn)}
    return {
        "compared": compared(found),
        "limits": {"bits": NEAR, **SAME_PHOTO},
        "collections": found,
        "near_hashes": plain,
        "near_hashes_crowded": {str(core[0]): crowd},
        "crowd_factor": crowd["cpu_s"] / max(plain[str(core[0])]["cpu_s"], 0.1),
        "report": reported(folder, report, embedder),
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--hashes", type=int, help="near ones among so many, too; ten million take minutes"
    )
    asked = parser.parse_args()
    sizes: dict[str, Any] = {"drawn": 300, "judge": JUDGED, "report": 1_000_000}
    sizes["core"] = (1_000_000, *([asked.hashes] if asked.hashes else []))
    if asked.quick:
        sizes = {"drawn": 12, "judge": 12, "core": (20_000,), "report": 5_000}
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), **sizes)
    tell("import_duplicates", claims(found), found)


if __name__ == "__main__":
    main()
