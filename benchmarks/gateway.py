"""How many similar-by-product answers a gateway gives: `python -m benchmarks.gateway [--url U --key K]`.

Products are taken from the shelves and asked for by one client, then by more, over connections that
stay open. Without a URL an embedded house with the sample catalogue is started. The load generator
shares the cores, and the claims are those of the embedded way to run.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.claims import Claim, at_least, at_most, options, tell
from benchmarks.house import PRODUCTS, House, house, shelved, stock
from benchmarks.load import run

CLIENTS = (1, 2, 4, 16)


@contextmanager
def started(products: int) -> Iterator[House]:
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as running:
        client = running.client()
        stock(client, Path(folder), products)
        client.close()
        yield running


def measured(asked: House, duration: float) -> list[dict[str, float]]:
    client = asked.client()
    calls = shelved(client)
    client.close()
    if not calls:
        raise SystemExit("The gateway has no products to ask for.")
    return [run(asked.url, asked.key, calls, clients, duration) for clients in CLIENTS]


def claims(found: list[dict[str, float]]) -> list[Claim]:
    one, many = found[0], found[-1]
    return [
        at_most("similar by product, 1 client, p50", one["p50_ms"], 4, "ms"),
        at_least(
            f"similar by product, {CLIENTS[-1]} clients", many["per_second"], 600, "answers/s"
        ),
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--url")
    parser.add_argument("--key", default="")
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    seconds = 0.3 if asked.quick else asked.seconds
    if asked.url:
        found = measured(House(asked.url, asked.key), seconds)
    else:
        with started(40 if asked.quick else PRODUCTS) as running:
            found = measured(running, seconds)
    tell("gateway", claims(found), {"by_clients": found})


if __name__ == "__main__":
    main()
