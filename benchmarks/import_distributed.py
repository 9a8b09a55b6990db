"""An import by two workers beside two bare loops: `python -m benchmarks.import_distributed [--pictures N]
[--quick]`.

Every service is a process of its own on two cores, over a real Redis, a SQLite catalogue and a folder: two
embedder workers of one child each, an indexer worker, gateway, reconciler, search and embedder for
queries. The file is imported until all of it is searchable; two bare loops at once, on the same two cores,
decode and embed the same pictures and keep nothing. Both take turns. Shares are told by the clock and by
CPU seconds of all processes together, which whatever else the machine does changes less.
"""

import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bare import loops_at_once
from benchmarks.claims import Claim, at_least, options, tell
from benchmarks.feeds import write_feed
from benchmarks.house import bring_in
from benchmarks.load import Client
from benchmarks.processes import cpu_seconds, on
from benchmarks.separate import settings
from tests.system.house import ADMIN, house

PICTURES = 2_000
ROUNDS = 2
WORKERS = 2
SHARE = 0.65


@dataclass(frozen=True)
class Round:
    """Pictures a second, and CPU seconds a picture."""

    bare: float
    bare_cpu_s: float
    written: float
    searchable: float
    cpu_s: dict[str, float]

    @property
    def share(self) -> float:
        return self.searchable / self.bare

    @property
    def cpu_share(self) -> float:
        return self.bare_cpu_s / sum(self.cpu_s.values())


def one_round(path: Path) -> Round:
    cores = sorted(os.sched_getaffinity(0))[:WORKERS]
    loops = loops_at_once(path, cores)
    bare, bare_cpu_s = sum(p.per_second for p in loops), statistics.mean(p.cpu_s for p in loops)
    with tempfile.TemporaryDirectory(dir=path.parent) as named, on(set(cores)):
        folder = Path(named)
        source = folder / path.name
        source.hardlink_to(path)
        with (
            settings(folder) as known,
            house(folder / "house", known, embedder_workers=WORKERS) as shop,
        ):
            client = Client(str(shop.admin.base_url).rstrip("/"), ADMIN)
            pids = {name: process.pid for name, process in shop.processes.items()}
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            done = bring_in(client, source)
            spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            client.close()
    return Round(
        bare,
        bare_cpu_s,
        done.pictures / done.written_s,
        done.pictures / done.searchable_s,
        {name: seconds / done.pictures for name, seconds in spent.items()},
    )


def measured(folder: Path, *, pictures: int, rounds: int) -> dict[str, Any]:
    path = folder / "pictures.bson"
    write_feed(path, pictures)
    taken = [one_round(path) for _ in range(rounds)]
    known = {
        "bare_per_second": [one.bare for one in taken],
        "written_per_second": [one.written for one in taken],
        "searchable_per_second": [one.searchable for one in taken],
        "bare_cpu_us": [one.bare_cpu_s * 1e6 for one in taken],
        "import_cpu_us": [sum(one.cpu_s.values()) * 1e6 for one in taken],
    }
    return {
        "pictures": pictures,
        **{name: round(statistics.median(each), 1) for name, each in known.items()},
        "share": statistics.median(one.share for one in taken),
        "cpu_share": statistics.median(one.cpu_share for one in taken),
        "processes_cpu_us": {name: round(s * 1e6) for name, s in taken[-1].cpu_s.items()},
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    return [
        at_least("two workers against two bare loops at once", found["share"], SHARE, "share"),
        at_least(
            "two workers against two bare loops, by CPU seconds", found["cpu_share"], SHARE, "share"
        ),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    asked = parser.parse_args()
    pictures, rounds = (64, 1) if asked.quick else (asked.pictures, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), pictures=pictures, rounds=rounds)
    tell("import_distributed", claims(found), found)


if __name__ == "__main__":
    main()
