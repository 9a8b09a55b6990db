"""How many children and threads an import wants: `python -m benchmarks.import_workers [--pictures N]
[--quick]`.

Children decode and embed, and threads of the house feed them: while one stores what came back, another's
pictures can be embedded. Each choice imports the same file into a fresh house, bound to one core and on
all cores, in turns; what a choice costs in CPU seconds and in memory stands beside its pace. The claims are
that nothing is quicker than what the house does by default, by more than such runs differ anyway.
"""

import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_least, options, tell
from benchmarks.feeds import write_feed
from benchmarks.house import bring_in, house
from benchmarks.processes import cpu_seconds, on, watched
from lookalike.embedded import BULK_CHILDREN, BULK_THREADS

PICTURES = 1_000
ROUNDS = 3
SLACK = 0.95


@dataclass(frozen=True)
class Choice:
    children: int
    threads: int

    @property
    def name(self) -> str:
        return f"{self.children} children, {self.threads} threads"


CHOICES = (Choice(1, 1), Choice(1, 2), Choice(2, 2), Choice(2, 3), Choice(4, 4))
DEFAULT = Choice(BULK_CHILDREN, BULK_THREADS)


@dataclass(frozen=True)
class Cost:
    """Of an import until all of it was searchable."""

    per_second: float
    cpu_us: float
    megabytes: float


def tried(path: Path, choice: Choice, cores: AbstractSet[int]) -> Cost:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, on(cores):
        source = Path(folder, path.name)
        source.hardlink_to(path)
        with house(Path(folder), children=choice.children, threads=choice.threads) as running:
            client = running.client()
            before = cpu_seconds(running.pid)
            with watched(running.pid) as peak:
                done = bring_in(client, source)
            spent = cpu_seconds(running.pid) - before
            client.close()
    return Cost(done.pictures / done.searchable_s, spent / done.pictures * 1e6, peak.together / 1e6)


def measured(
    folder: Path, *, pictures: int, rounds: int, choices: Sequence[Choice]
) -> dict[str, Any]:
    path = folder / "pictures.bson"
    write_feed(path, pictures)
    cores = os.sched_getaffinity(0)
    places: Mapping[str, AbstractSet[int]] = {"one_core": {min(cores)}, "all_cores": cores}
    taken: dict[str, dict[str, list[Cost]]] = {
        place: {choice.name: [] for choice in choices} for place in places
    }
    for _ in range(rounds):
        for place, where in places.items():
            for choice in choices:
                taken[place][choice.name].append(tried(path, choice, where))
    return {
        "pictures": pictures,
        **{place: {name: said(each) for name, each in of.items()} for place, of in taken.items()},
    }


def said(costs: Sequence[Cost]) -> dict[str, float]:
    """Medians."""
    return {
        "per_second": round(statistics.median(one.per_second for one in costs), 1),
        "cpu_us": round(statistics.median(one.cpu_us for one in costs)),
        "megabytes": round(statistics.median(one.megabytes for one in costs)),
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    return [
        at_least(
            f"{DEFAULT.name} against the best choice, {place.replace('_', ' ')}",
            found[place][DEFAULT.name]["per_second"]
            / max(one["per_second"] for one in found[place].values()),
            SLACK,
            "of its pace",
        )
        for place in ("one_core", "all_cores")
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    asked = parser.parse_args()
    pictures, rounds = (64, 1) if asked.quick else (asked.pictures, ROUNDS)
    choices = (Choice(1, 2), DEFAULT) if asked.quick else CHOICES
    with tempfile.TemporaryDirectory() as folder:
        found = measured(
            Path(folder),
            pictures=pictures,
            rounds=rounds,
            choices=tuple(dict.fromkeys((*choices, DEFAULT))),
        )
    tell("import_workers", claims(found), found)


if __name__ == "__main__":
    main()
