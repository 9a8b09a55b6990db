"""Clients that ask a gateway over connections that stay open."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from itertools import cycle
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.claims import spread


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: bytes | None = None
    media_type: str = "application/json"


def json_call(method: str, path: str, body: Mapping[str, Any]) -> Call:
    return Call(method, path, json.dumps(body).encode())


def similar(product_id: str) -> Call:
    return Call("GET", f"/v1/products/{quote(product_id, safe='')}/similar")


class Client:
    """One connection and the key that it shows; used by one thread at a time."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.netloc, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}"}

    def ask(self, call: Call) -> bytes:
        """The answer's body; anything but success ends the benchmark."""
        headers = self._headers | ({"Content-Type": call.media_type} if call.body else {})
        self._connection.request(call.method, call.path, call.body, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{call.method} {call.path}: {answer.status} {body[:300]!r}")
        return body

    def json(self, call: Call) -> Any:
        return json.loads(self.ask(call))

    def seconds(self, call: Call) -> float:
        begun = time.perf_counter()
        self.ask(call)
        return time.perf_counter() - begun

    def close(self) -> None:
        self._connection.close()


def run(
    url: str, key: str, calls: Sequence[Call], clients: int, duration: float
) -> dict[str, float]:
    """So many clients, each asking its next question when it has its answer."""
    seconds: list[float] = []
    end = time.perf_counter() + duration

    def work(first: int) -> None:
        client = Client(url, key)
        for call in cycle((*calls[first:], *calls[:first])):
            if time.perf_counter() > end:
                break
            seconds.append(client.seconds(call))
        client.close()

    begun = time.perf_counter()
    threads = [
        threading.Thread(target=work, args=(n * len(calls) // clients,)) for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    per_second = round(len(seconds) / (time.perf_counter() - begun), 1)
    return {"clients": clients, "per_second": per_second, **spread(seconds)}
