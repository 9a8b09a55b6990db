"""What memory a large import takes: `python -m benchmarks.import_memory [--megabytes N] [--quick]`.

A file of more than two gigabytes is made of a few drawn pictures, numbered (see `benchmarks.feeds`), and
read once, so that it is in the page cache. It is divided into chunks, in turn with the bson library
reading it record by record. Then it is imported, first by the embedded house, then by a worker of the
distributed one over Redis and SQLite: it is planned to its end, chunks are brought in for a while, and the
import is cancelled, for what a chunk takes in memory its place in the file does not change; what an index
takes that grows beside it, and the building of its graph, `benchmarks.import_growth` tells. Meanwhile
memory is looked at twice a second. Pages that several processes share are counted once where they are
taken together; a process by itself is told with all that is resident of it.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import bson

from benchmarks.claims import Claim, at_least, at_most, options, tell
from benchmarks.feeds import write_feed
from benchmarks.house import begin, cancel, finished, house, until
from benchmarks.load import Call, Client
from benchmarks.processes import watched
from benchmarks.separate import settings
from shared.sources.bson import scan
from shared.sources.records import ChunkRange, file_reader
from tests.system.house import ADMIN
from tests.system.house import house as separate_house

MEGABYTES = 2_100
PICTURE_BYTES = 7_500
"""A little less than one takes in a file."""
ROUNDS = 3
SECONDS = 60.0
WORKER_SECONDS = 40.0
GIGABYTES_PER_SECOND = 2.0
EMBEDDED_MEGABYTES = 400
WORKER_MEGABYTES = 200


def planning(path: Path) -> dict[str, float]:
    """Gigabytes a second, of our scan and of the library."""
    gigabytes = path.stat().st_size / 1e9
    ours, library = [], []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        chunks = plan(path)
        ours.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        with path.open("rb") as file:
            records = sum(1 for _ in bson.decode_file_iter(file))
        library.append(time.perf_counter() - begun)
        if records != sum(chunk.records for chunk in chunks):
            raise SystemExit("The plan has other records than the file.")
    return {
        "file_gb": round(gigabytes, 3),
        "planned_gb_per_s": round(gigabytes / statistics.median(ours), 3),
        "bson_library_gb_per_s": round(gigabytes / statistics.median(library), 3),
    }


def plan(path: Path) -> list[ChunkRange]:
    with path.open("rb") as file:
        pieces = list(scan(file_reader(file), path.stat().st_size))
    return [piece for piece in pieces if isinstance(piece, ChunkRange)]


def brought_in(client: Client, path: Path, pid: int, seconds: float) -> dict[str, Any]:
    """Some of the file, and the peak of a process and of those below it meanwhile."""
    with watched(pid) as peak:
        import_id = begin(client, path)
        planned = until(lambda: seen(client, import_id)["planned"], pause=0.05)
        end = time.perf_counter() + seconds
        until(lambda: is_over(client, import_id, end), pause=1, within_s=2 * seconds)
    done = seen(client, import_id)
    cancel(client, import_id)
    return {
        "planned_s": round(planned, 2),
        "pictures": done["counters"]["pictures"],
        "megabytes": peak.megabytes(),
    }


def is_over(client: Client, import_id: str, end: float) -> bool:
    """Asked again and again, so that the connection stays open."""
    return finished(client, import_id) or time.perf_counter() > end


def seen(client: Client, import_id: str) -> Any:
    return client.json(Call("GET", f"/v1/imports/{import_id}"))


def embedded(folder: Path, path: Path, seconds: float) -> dict[str, Any]:
    with house(folder) as running:
        client = running.client()
        found = brought_in(client, path, running.pid, seconds)
        client.close()
    return found


def distributed(folder: Path, path: Path, seconds: float) -> dict[str, Any]:
    """One worker and its one child."""
    with settings(folder) as known, separate_house(folder / "separate", known) as shop:
        client = Client(str(shop.admin.base_url).rstrip("/"), ADMIN)
        found = brought_in(client, path, shop.processes["embedder-worker"].pid, seconds)
        client.close()
    return found


def measured(folder: Path, *, megabytes: int, seconds: float, worker_s: float) -> dict[str, Any]:
    path = folder / "large.bson"
    write_feed(path, megabytes * 1_000_000 // PICTURE_BYTES)
    return {
        **planning(path),
        "embedded": embedded(folder, path, seconds),
        "worker": distributed(folder, path, worker_s),
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    house_, worker = found["embedded"]["megabytes"], found["worker"]["megabytes"]
    return [
        at_least(
            "an import of BSON is planned", found["planned_gb_per_s"], GIGABYTES_PER_SECOND, "GB/s"
        ),
        at_most("embedded, all processes together", house_["together"], EMBEDDED_MEGABYTES, "MB"),
        at_most("a worker and its child", worker["together"], WORKER_MEGABYTES, "MB"),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(
            Path(folder),
            megabytes=5 if asked.quick else asked.megabytes,
            seconds=2.0 if asked.quick else SECONDS,
            worker_s=2.0 if asked.quick else WORKER_SECONDS,
        )
    tell("import_memory", claims(found), found)


if __name__ == "__main__":
    main()
