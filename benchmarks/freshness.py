"""How soon a write is found: `python -m benchmarks.freshness [--quick]`.

The embedded house with the sample catalogue, one writer. A product with a drawn picture of its own is
put, and then the picture is searched for until the product is in the answer. After that the price of one
product after the other is changed, and asked for with a filter until it is answered. Then others are put
while a large file is imported, whose pictures want every core as well. Looking takes its time too and is
part of the figures: `looks` says how often it was done.
"""

import base64
import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_most, options, spread, tell
from benchmarks.feeds import write_feed
from benchmarks.house import PRODUCTS, SEED, begin, cancel, finished, house, stock, until
from benchmarks.load import Call, Client, json_call
from lookalike.sample.catalogue import pictures
from lookalike.sample.inventing import invent

WRITES = 120
IMPORTED = 40_000
"""Pictures, which are more than the house can embed meanwhile."""
IMPORTED_ID = 50_000_000
PAUSE_S = 0.02
FIRST_PRICE = 100_000


@dataclass(frozen=True)
class Wait:
    seconds: float
    looks: int


def waited(client: Client, write: Call, look: Callable[[], bool]) -> Wait:
    """From before the write is sent until it was seen."""
    counted = itertools.count()
    begun = time.perf_counter()
    client.ask(write)
    until(lambda: next(counted) >= 0 and look(), pause=PAUSE_S)
    return Wait(time.perf_counter() - begun, next(counted))


def put(client: Client, product_id: str, picture: bytes) -> Wait:
    body = {"title": product_id, "images": [{"base64": base64.b64encode(picture).decode()}]}
    search = Call("POST", "/v1/search/image", picture, "image/jpeg")
    write = json_call("PUT", f"/v1/products/{product_id}", body)
    return waited(client, write, lambda: product_id in hits(client, search))


def change_price(client: Client, product_id: str, other_id: str, price: float) -> Wait:
    """The filter lets the new price alone pass, so that nothing is answered before."""
    asked = {"query": {"products": [{"id": other_id}]}, "filter": {"field": "price", "eq": price}}
    search = json_call("POST", "/v1/search", asked)
    write = json_call("PATCH", f"/v1/products/{product_id}", {"price": price})
    return waited(client, write, lambda: product_id in hits(client, search))


def hits(client: Client, search: Call) -> list[str]:
    return [hit["product_id"] for hit in client.json(search)["hits"]]


def puts_during_an_import(
    client: Client, path: Path, drawn: Sequence[bytes]
) -> tuple[list[Wait], int]:
    """The waits, and how many pictures the import brought in meanwhile."""
    import_id = begin(client, path)
    until(lambda: brought_in(client, import_id) > 0, pause=PAUSE_S)
    waits = [put(client, f"during-{number}", picture) for number, picture in enumerate(drawn)]
    if finished(client, import_id):
        raise SystemExit("The import ended before the writes did: it has to be larger.")
    done = brought_in(client, import_id)
    cancel(client, import_id)
    return waits, done


def brought_in(client: Client, import_id: str) -> int:
    return int(client.json(Call("GET", f"/v1/jobs/{import_id}"))["progress"]["pictures"])


def measured(data: Path, *, products: int, writes: int, imported: int) -> dict[str, Any]:
    drawn = [pictures(invent(SEED, 100_000 + number))[0] for number in range(2 * writes)]
    names = [f"fresh-{number}" for number in range(writes)]
    large = data / "large.bson"
    write_feed(large, imported, first=IMPORTED_ID)
    with house(data) as running:
        client = running.client()
        stock(client, data, products)
        puts = [
            put(client, name, picture) for name, picture in zip(names, drawn[:writes], strict=True)
        ]
        prices = [
            change_price(client, name, other, FIRST_PRICE + n)
            for n, (name, other) in enumerate(zip(names, (*names[1:], names[0]), strict=True))
        ]
        during, meanwhile = puts_during_an_import(client, large, drawn[writes:])
        client.close()
    return {
        "products": products,
        "put_to_found": said(puts),
        "price_to_answer": said(prices),
        "put_to_found_during_an_import": said(during),
        "pictures_imported_meanwhile": meanwhile,
    }


def said(waits: Sequence[Wait]) -> dict[str, float]:
    looks = sum(wait.looks for wait in waits) / len(waits)
    return {**spread([wait.seconds for wait in waits]), "looks": round(looks, 1)}


def claims(found: dict[str, Any]) -> list[Claim]:
    put_, price = found["put_to_found"], found["price_to_answer"]
    during = found["put_to_found_during_an_import"]
    return [
        at_most("PUT to found, p50", put_["p50_ms"] / 1_000, 1, "s"),
        at_most("PUT to found, p99", put_["p99_ms"] / 1_000, 2, "s"),
        at_most("price change to filtered answer, p99", price["p99_ms"] / 1_000, 1, "s"),
        at_most("PUT to found during an import, p99", during["p99_ms"] / 1_000, 5, "s"),
    ]


def main() -> None:
    quick = options(__doc__).parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        products, writes, imported = (20, 3, 4_000) if quick else (PRODUCTS, WRITES, IMPORTED)
        found = measured(Path(folder), products=products, writes=writes, imported=imported)
    tell("freshness", claims(found), found)


if __name__ == "__main__":
    main()
