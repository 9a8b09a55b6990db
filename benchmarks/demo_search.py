"""Searching the sample catalogue over HTTP: `python -m benchmarks.demo_search [--quick]`.

The embedded house runs in one process and the clients in another, on the same cores. Measured are the
way from starting it to the first answer, with the drawing and the import and then without them, similar
products for one client and for sixteen, and searches by a drawn picture that is uploaded each time.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_least, at_most, options, spread, tell
from benchmarks.house import PRODUCTS, SEED, House, house, shelved, stock
from benchmarks.load import Call, Client, run
from lookalike.sample.catalogue import pictures
from lookalike.sample.inventing import invent

UPLOADS = 40
PHASES = ("decode", "embed", "search", "hydrate", "total")


def drawn(count: int) -> Iterator[bytes]:
    """Pictures that the catalogue does not have: of products that come after its own."""
    for number in range(count):
        yield pictures(invent(SEED, 100_000 + number))[0]


def uploads(client: Client, data: list[bytes]) -> dict[str, Any]:
    calls = [Call("POST", "/v1/search/image", one, "image/jpeg") for one in data]
    client.ask(calls[0])
    return {
        **spread([client.seconds(call) for call in calls]),
        "phases_ms": phases(client, calls),
    }


def phases(client: Client, calls: list[Call]) -> dict[str, float]:
    """What the answers themselves say, on average."""
    said = [client.json(call)["meta"]["timings_ms"] for call in calls]
    return {name: round(sum(one[name] for one in said) / len(said), 2) for name in PHASES}


def first_start(data: Path, products: int) -> dict[str, float]:
    begun = time.perf_counter()
    with house(data) as running:
        client = running.client()
        imported = stock(client, data, products)
        call = shelved(client)[0]
        first = client.seconds(call)
        whole = time.perf_counter() - begun
        client.close()
    return {
        "whole_s": round(whole, 2),
        "import_s": round(imported.searchable_s, 2),
        "first_search_ms": round(first * 1_000, 1),
    }


def second_start(running: House, begun: float) -> dict[str, float]:
    client = running.client()
    first = client.seconds(shelved(client)[0])
    client.close()
    return {
        "whole_s": round(time.perf_counter() - begun, 2),
        "first_search_ms": round(first * 1_000, 1),
    }


def measured(data: Path, *, products: int, count: int, duration: float) -> dict[str, Any]:
    sought = list(drawn(count))
    first, begun = first_start(data, products), time.perf_counter()
    with house(data) as running:
        second = second_start(running, begun)
        client = running.client()
        calls = shelved(client)
        found = {
            "upload": uploads(client, sought),
            "similar_phases_ms": phases(client, calls),
        }
        client.close()  # the gateway closes what is silent for some seconds
        for clients in (1, 16):
            found[f"similar_{clients}"] = run(running.url, running.key, calls, clients, duration)
    return {"products": products, "first_start": first, "second_start": second, **found}


def claims(found: dict[str, Any]) -> list[Claim]:
    one, many = found["similar_1"], found["similar_16"]
    return [
        at_most("similar by product, 1 client, p50", one["p50_ms"], 4, "ms"),
        at_least("similar by product, 16 clients", many["per_second"], 600, "answers/s"),
        at_most(
            "search by an uploaded picture, 1 client, p50", found["upload"]["p50_ms"], 12, "ms"
        ),
        at_most("first start to first answer", found["first_start"]["whole_s"], 30, "s"),
        at_most("second start to first answer", found["second_start"]["whole_s"], 5, "s"),
    ]


def main() -> None:
    quick = options(__doc__).parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        found = measured(
            Path(folder),
            products=40 if quick else PRODUCTS,
            count=5 if quick else UPLOADS,
            duration=0.5 if quick else 6.0,
        )
    tell("demo_search", claims(found), found)


if __name__ == "__main__":
    main()
