"""How soon a write is found: `python -m benchmarks.freshness [--quick]`.

The embedded house with the sample catalogue, one writer. A product with a drawn picture of its own is
put, and then the picture is searched for until the product is in the answer. After that the price of one
product after the other is changed, and asked for with a filter until it is answered. Looking takes its
time too and is part of the figures: `looks` says how often it was done.
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
from benchmarks.house import PRODUCTS, SEED, house, stock, until
from benchmarks.load import Call, Client, json_call
from lookalike.sample.catalogue import pictures
from lookalike.sample.inventing import invent

WRITES = 120
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


def measured(data: Path, *, products: int, writes: int) -> dict[str, Any]:
    drawn = [pictures(invent(SEED, 100_000 + number))[0] for number in range(writes)]
    names = [f"fresh-{number}" for number in range(writes)]
    with house(data) as running:
        client = running.client()
        stock(client, data, products)
        puts = [put(client, name, picture) for name, picture in zip(names, drawn, strict=True)]
        prices = [
            change_price(client, name, other, FIRST_PRICE + n)
            for n, (name, other) in enumerate(zip(names, (*names[1:], names[0]), strict=True))
        ]
        client.close()
    return {"products": products, "put_to_found": said(puts), "price_to_answer": said(prices)}


def said(waits: Sequence[Wait]) -> dict[str, float]:
    looks = sum(wait.looks for wait in waits) / len(waits)
    return {**spread([wait.seconds for wait in waits]), "looks": round(looks, 1)}


def claims(found: dict[str, Any]) -> list[Claim]:
    put_, price = found["put_to_found"], found["price_to_answer"]
    return [
        at_most("PUT to found, p50", put_["p50_ms"] / 1_000, 1, "s"),
        at_most("PUT to found, p99", put_["p99_ms"] / 1_000, 2, "s"),
        at_most("price change to filtered answer, p99", price["p99_ms"] / 1_000, 1, "s"),
    ]


def main() -> None:
    quick = options(__doc__).parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        products, writes = (20, 3) if quick else (PRODUCTS, WRITES)
        found = measured(Path(folder), products=products, writes=writes)
    tell("freshness", claims(found), found)


if __name__ == "__main__":
    main()
