"""How many similar-by-product answers a running gateway gives, and how soon.

`python benchmarks/gateway.py URL KEY [SECONDS]`: products are taken from the shelves, asked for by one
client and then by sixteen, over connections that stay open. The load generator shares the cores.
"""

import json
import sys
import threading
import time
from http.client import HTTPConnection, HTTPSConnection
from itertools import cycle
from statistics import quantiles
from urllib.parse import quote, urlsplit

CLIENTS = (1, 16)


def connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.netloc, timeout=30)


def get(connection: HTTPConnection, path: str, key: str) -> bytes:
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
    return body


def ask(url: str, key: str, paths: list[str], end: float, seconds: list[float]) -> None:
    connection = connect(url)
    for path in cycle(paths):
        begun = time.perf_counter()
        if begun > end:
            break
        get(connection, path, key)
        seconds.append(time.perf_counter() - begun)
    connection.close()


def run(url: str, key: str, paths: list[str], clients: int, duration: float) -> dict[str, float]:
    seconds: list[float] = []
    begun = time.perf_counter()
    threads = [
        threading.Thread(target=ask, args=(url, key, paths[n:], begun + duration, seconds))
        for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = quantiles(seconds, n=100)
    return {
        "clients": clients,
        "answers": len(seconds),
        "per_second": round(len(seconds) / (time.perf_counter() - begun), 1),
        "p50_ms": round(cuts[49] * 1000, 2),
        "p99_ms": round(cuts[98] * 1000, 2),
    }


def main() -> None:
    url, key = sys.argv[1], sys.argv[2]
    duration = float(sys.argv[3]) if len(sys.argv) > 3 else 5.0
    listed = json.loads(get(connect(url), "/v1/products?limit=100", key))["products"]
    paths = [f"/v1/products/{quote(one['product_id'], safe='')}/similar" for one in listed]
    if len(paths) <= max(CLIENTS):
        raise SystemExit(
            f"At least {max(CLIENTS) + 1} products are needed; there are {len(paths)}."
        )
    print(json.dumps([run(url, key, paths, clients, duration) for clients in CLIENTS], indent=2))


if __name__ == "__main__":
    main()
