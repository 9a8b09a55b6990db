"""A shop that imports: a house over everything real, its two keys, and a folder that it may read."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from lookalike.embedded import TENANT, embedded
from services.gateway.keys import ensure_key
from shared.jobs import FINISHED
from tests.client.house import served

PATIENCE_S: Final = 30.0
_A_WHILE: Final = 25
_READ: Final = ("imported", "unchanged", "superseded", "duplicate", "failed", "left_out")


@dataclass(frozen=True)
class Shop:
    """`folder` is open to imports; what lies beside it is not."""

    admin: httpx.Client
    shopper: httpx.Client
    folder: Path

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def begin(self, path: Path | str, form: str = "bson", **options: Any) -> str:
        """The id of the import."""
        body = {"format": form, "source": {"path": str(path)}, **options}
        answer = self.admin.post("/v1/imports", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["import_id"])

    def view(self, import_id: str) -> dict[str, Any]:
        """As it is, which has to balance whenever one looks."""
        found: dict[str, Any] = self.admin.get(f"/v1/imports/{import_id}").raise_for_status().json()
        counters = found["counters"]
        assert counters["read"] == sum(counters[name] for name in _READ), counters
        return found

    def ended(self, import_id: str, within: float = PATIENCE_S) -> dict[str, Any]:
        over = lambda: self.view(import_id)["state"] in FINISHED  # noqa: E731
        until(over, f"{import_id} goes on and on", within)
        return self.view(import_id)

    def imported(self, path: Path | str, form: str = "bson", **options: Any) -> dict[str, Any]:
        return self.ended(self.begin(path, form, **options))

    def ask(self, import_id: str, action: str) -> dict[str, Any]:
        answer = self.admin.post(f"/v1/imports/{import_id}:{action}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def failures(self, import_id: str) -> list[dict[str, Any]]:
        url = f"/v1/imports/{import_id}/failures"
        found: list[dict[str, Any]] = []
        cursor = ""
        while cursor is not None:
            page = self.admin.get(url, params={"cursor": cursor, "limit": 100}).json()
            found += page["dead_letters"]
            cursor = page["next_cursor"]
        return found

    def product(self, product_id: str) -> dict[str, Any] | None:
        answer = self.admin.get(f"/v1/products/{product_id}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.json()

    def hits(self, picture: bytes, limit: int = 1) -> dict[str, float]:
        """Similarities by product."""
        answer = self.shopper.post(
            "/v1/search/image",
            params={"limit": limit},
            content=picture,
            headers={"Content-Type": "image/jpeg"},
        )
        assert answer.status_code == 200, answer.text
        return {hit["product_id"]: hit["similarity"] for hit in answer.json()["hits"]}

    def finds(self, product_id: str, picture: bytes, at_least: float = 0.99) -> None:
        """Soon, and before all others."""

        def found() -> bool:
            return self.hits(picture).get(product_id, 0.0) >= at_least

        until(found, f"{product_id} is not found by its picture")


@contextmanager
def shop_in(folder: Path) -> Iterator[Shop]:
    """Open until the block ends; the same folder again is the same shop."""
    feeds = folder / "feeds"
    feeds.mkdir(parents=True, exist_ok=True)
    with (
        embedded(folder / "data", import_roots=(feeds,)) as inside,
        served(inside) as url,
        asking(url, ensure_key(inside.catalogue, TENANT, "admin", "tests")) as admin,
        asking(url, ensure_key(inside.catalogue, TENANT, "search", "tests")) as shopper,
    ):
        yield Shop(admin, shopper, feeds)


def asking(url: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)


def until(done: Callable[[], bool], otherwise: str, within: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def steady(look: Callable[[], int], otherwise: str) -> int:
    """What is seen, once it was the same for a while."""
    seen: list[int] = []

    def stands() -> bool:
        seen.append(look())
        return len(seen) > _A_WHILE and len(set(seen[-_A_WHILE:])) == 1

    until(stands, otherwise)
    return seen[-1]
