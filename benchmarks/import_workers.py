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
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_least, options, tell
from benchmarks.feeds import write_feed
from benchmarks.house import bring_in, house
from benchmarks.processes import cpu_seconds, on, watched
from lookalike.embedded import Hands, hands_for

PICTURES = 1_000
ROUNDS = 3
SLACK = 0.9
CHOICES = (Hands(1, 1), Hands(1, 2), Hands(2, 2), Hands(2, 3), Hands(4, 4))


@dataclass(frozen=True)
class Cost:
    """Of an import until all of it was searchable."""

    per_second: float
    cpu_us: float
    megabytes: float


def tried(path: Path, hands: Hands, cores: AbstractSet[int]) -> Cost:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, on(cores):
        source = Path(folder, path.name)
        source.hardlink_to(path)
        with house(Path(folder), hands) as running:
            client = running.client()
            before = cpu_seconds(running.pid)
            with watched(running.pid) as peak:
                done = bring_in(client, source)
            spent = cpu_seconds(running.pid) - before
            client.close()
    return Cost(done.pictures / done.searchable_s, spent / done.pictures * 1e6, peak.together / 1e6)


def measured(
    folder: Path, *, pictures: int, rounds: int, choices: Sequence[Hands]
) -> dict[str, Any]:
    path = folder / "pictures.bson"
    write_feed(path, pictures)
    cores = os.sched_getaffinity(0)
    places: Mapping[str, AbstractSet[int]] = {"one_core": {min(cores)}, "all_cores": cores}
    taken: dict[str, dict[Hands, list[Cost]]] = {place: defaultdict(list) for place in places}
    for _ in range(rounds):
        for place, where in places.items():
            for hands in dict.fromkeys((*choices, hands_for(len(where)))):
                taken[place][hands].append(tried(path, hands, where))
    return {
        "pictures": pictures,
        "usual": {place: told(hands_for(len(where))) for place, where in places.items()},
        **{
            place: {told(one): said(each) for one, each in of.items()}
            for place, of in taken.items()
        },
    }


def told(hands: Hands) -> str:
    children = "1 child" if hands.children == 1 else f"{hands.children} children"
    return f"{children}, {hands.threads} threads"


def said(costs: Sequence[Cost]) -> dict[str, float]:
    """Medians."""
    return {
        "per_second": round(statistics.median(one.per_second for one in costs), 1),
        "cpu_us": round(statistics.median(one.cpu_us for one in costs)),
        "megabytes": round(statistics.median(one.megabytes for one in costs)),
    }


def claims(found: dict[str, Any]) -> list[Claim]:
    made = []
    for place, usual in found["usual"].items():
        best = max(one["per_second"] for one in found[place].values())
        share = found[place][usual]["per_second"] / best
        name = f"{usual} against the best choice, {place.replace('_', ' ')}"
        made.append(at_least(name, share, SLACK, "of its pace"))
    return made


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    asked = parser.parse_args()
    pictures, rounds = (64, 1) if asked.quick else (asked.pictures, ROUNDS)
    choices = CHOICES[:1] if asked.quick else CHOICES
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), pictures=pictures, rounds=rounds, choices=choices)
    tell("import_workers", claims(found), found)


if __name__ == "__main__":
    main()
