"""The same file imported again: `python -m benchmarks.import_again [--pictures N] [--quick]`.

A shop sends its whole catalogue every night. The second import of a file that was not changed reads every
record, embeds nothing and gives the index nothing to do; it is timed by the clock and by CPU seconds, both
from the request to the moment when everything is searchable.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_least, at_most, options, tell
from benchmarks.feeds import write_feed
from benchmarks.house import House, all_searchable, begin, finished, house, until
from benchmarks.load import Call, Client
from benchmarks.processes import cpu_seconds

PICTURES = 2_000
TIMES = 10.0
PATIENCE_S = 600.0
TICK_S = 0.01
"""The least CPU time that the system tells."""


def one_import(running: House, client: Client, path: Path) -> dict[str, Any]:
    before, begun = cpu_seconds(running.pid), time.perf_counter()
    import_id = begin(client, path)
    until(lambda: finished(client, import_id), pause=0.01, within_s=PATIENCE_S)
    until(lambda: all_searchable(client), pause=0.01, within_s=PATIENCE_S)
    taken, spent = time.perf_counter() - begun, cpu_seconds(running.pid) - before
    counters = client.json(Call("GET", f"/v1/imports/{import_id}"))["counters"]
    return {
        "seconds": taken,
        "cpu_seconds": spent,
        "revisions": revisions(client),
        **{name: counters[name] for name in ("read", "created", "unchanged", "embedded")},
    }


def revisions(client: Client) -> dict[str, int]:
    """Of the first products: one grows with anything that an index has to follow."""
    listed = client.json(Call("GET", "/v1/products?limit=100"))["products"]
    ids = [one["product_id"] for one in listed]
    paths = [f"/v1/products/{product_id}/presence" for product_id in ids]
    found = [client.json(Call("GET", path))["revision"] for path in paths]
    return dict(zip(ids, found, strict=True))


def measured(folder: Path, pictures: int) -> dict[str, Any]:
    path = folder / "pictures.bson"
    write_feed(path, pictures)
    with house(folder) as running:
        client = running.client()
        first, again = (one_import(running, client, path) for _ in range(2))
        client.close()
    before, after = first.pop("revisions"), again.pop("revisions")
    moved = sum(after[name] != revision for name, revision in before.items())
    return {"pictures": pictures, "first": first, "again": again, "indexed_again": moved}


def claims(found: dict[str, Any]) -> list[Claim]:
    first, again = found["first"], found["again"]
    times = first["seconds"] / again["seconds"]
    cpu_times = first["cpu_seconds"] / max(again["cpu_seconds"], TICK_S)
    return [
        at_least("the same file again, against the first time", times, TIMES, "times"),
        at_least("the same file again, by CPU seconds", cpu_times, TIMES, "times"),
        at_least("records told to be unchanged", again["unchanged"] / again["read"], 1, "part"),
        at_most("embedded again", again["embedded"], 0, "pictures"),
        at_most("of 100 products, indexed again", found["indexed_again"], 0, "products"),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), 64 if asked.quick else asked.pictures)
    tell("import_again", claims(found), found)


if __name__ == "__main__":
    main()
