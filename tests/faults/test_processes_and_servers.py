"""Real processes and real signals: what was answered is there, and is found, whatever dies meanwhile.

The oracle is what the shop was told: every product whose write was answered with 2xx.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import redis

from tests.faults.conftest import Scene
from tests.system.house import House
from tests.system.shop import body, hits, until

LEASE_S = 30
"""How long a claim of a picture lives that nobody finishes."""
BACKENDS = ("exact", "elasticsearch")


def picture(seed: int) -> bytes:
    """A small one that is like no other."""
    noise = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    large = cv2.resize(noise, (48, 48), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".png", large)[1].tobytes()


def put(house: House, product_id: str, seed: int) -> int:
    answer = house.admin.put(f"/v1/products/{product_id}", json=body(picture(seed)))
    return answer.status_code


def states(house: House, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    found = {}
    for product_id in product_ids:
        answer = house.admin.get(f"/v1/products/{product_id}/presence")
        found[product_id] = answer.raise_for_status().json()
    return found


def all_searchable(house: House, product_ids: Sequence[str]) -> bool:
    return all(s["state"] == "searchable" for s in states(house, product_ids).values())


def found(house: House, product_id: str, seed: int) -> bool:
    return all(
        hits(house, picture(seed), backend=backend, limit=1)[0]["product_id"] == product_id
        for backend in BACKENDS
    )


def test_f1_an_embedder_killed_anywhere_is_done_again_and_gives_one_version(
    scene: Scene, tmp_path: Path
) -> None:
    points = ("embedder.claimed", "embedder.stored", "embedder.bumped")
    for number, point in enumerate(points):
        with scene.house.doomed("embedder-worker", point, tmp_path / str(number)) as victim:
            assert put(scene.house, f"f1-{number}", 100 + number) == 202
            until(lambda: not victim.is_running, within=20)
    names = [f"f1-{number}" for number in range(len(points))]
    until(lambda: all_searchable(scene.house, names), within=2 * LEASE_S)
    assert all(found(scene.house, name, 100 + number) for number, name in enumerate(names))
    assert {state["version"] for state in states(scene.house, names).values()} == {1}


def test_f4_a_message_that_dies_with_a_frozen_worker_costs_time_only(scene: Scene) -> None:
    worker = scene.house.processes["embedder-worker"]
    worker.freeze()
    assert put(scene.house, "f4", 200) == 202
    worker.restart()
    until(lambda: all_searchable(scene.house, ["f4"]), within=2 * LEASE_S)
    assert found(scene.house, "f4", 200)


@pytest.mark.parametrize("pending", [200, pytest.param(1_000, marks=pytest.mark.long)])
def test_f6_everything_is_found_after_redis_lost_all_it_knew(scene: Scene, pending: int) -> None:
    scene.house.processes["embedder-worker"].freeze()
    first = 1_000 * pending
    wanted = [(f"f6-{seed}", seed) for seed in range(first, first + pending)]
    items = [{"op": "upsert", "id": name, **body(picture(seed))} for name, seed in wanted]
    for start in range(0, pending, 500):
        batch = {"items": items[start : start + 500]}
        answer = scene.house.admin.post("/v1/products:batch", json=batch)
        assert {item["status"] for item in answer.raise_for_status().json()["items"]} == {202}
    redis.Redis.from_url(scene.redis.url).flushall()
    scene.redis.kill()
    scene.redis.restart()
    scene.house.processes["embedder-worker"].thaw()
    until(lambda: nothing_waits(scene.house), within=60 + pending / 2)
    until(lambda: all_searchable(scene.house, [name for name, _ in wanted[::10]]))
    assert found(scene.house, *wanted[pending // 2])


def test_f7_a_frozen_redis_holds_up_no_write_and_no_search(scene: Scene) -> None:
    assert put(scene.house, "f7-before", 7_000) == 202
    until(lambda: all_searchable(scene.house, ["f7-before"]))
    scene.redis.freeze()
    began = time.monotonic()
    assert put(scene.house, "f7", 7_001) == 202
    assert is_first(scene, "f7-before", 7_000)
    took = time.monotonic() - began
    scene.redis.thaw()
    assert took < 3
    until(lambda: all_searchable(scene.house, ["f7"]), within=30)
    assert found(scene.house, "f7", 7_001)


def nothing_waits(house: House) -> bool:
    answer = house.admin.get("/v1/stats")
    said = answer.json() if answer.is_success else {"pending": {"stats": 1}}
    return not any(said["pending"].values()) and not any(said["images_waiting"].values())


@pytest.mark.parametrize("fault", ["killed", "frozen", "read-only"])
def test_f14_without_elasticsearch_the_others_serve_and_it_catches_up(
    scene: Scene, fault: str
) -> None:
    name, seed = f"f14-{fault}", 300 + len(fault)
    with hurt_elasticsearch(scene, fault):
        assert put(scene.house, name, seed) == 202
        until(lambda: is_first(scene, name, seed), within=30)
    until(lambda: all_searchable(scene.house, [name]), within=60)
    assert found(scene.house, name, seed)


@contextmanager
def hurt_elasticsearch(scene: Scene, fault: str) -> Iterator[None]:
    node, url = scene.elasticsearch, scene.elasticsearch.url
    match fault:
        case "killed":
            node.kill()
            yield
            node.restart()
        case "frozen":
            node.freeze()
            yield
            node.thaw()
        case _:
            httpx.put(f"{url}/_all/_settings", json={"index.blocks.write": True}).raise_for_status()
            yield
            httpx.put(f"{url}/_all/_settings", json={"index.blocks.write": None}).raise_for_status()


def is_first(scene: Scene, name: str, seed: int) -> bool:
    first = hits(scene.house, picture(seed), backend="exact", limit=1)
    return bool(first) and first[0]["product_id"] == name


def test_f15_no_answered_write_is_lost_with_the_catalogues_server(scene: Scene) -> None:
    written: dict[str, int] = {}
    slowest = 0.0
    stop = Event()

    def write(first: int) -> None:
        nonlocal slowest
        for seed in range(first, first + 10_000):
            if stop.is_set():
                return
            began = time.monotonic()
            status = put(scene.house, f"f15-{seed}", seed)
            slowest = max(slowest, time.monotonic() - began)
            assert status in (202, 503), status
            if status == 202:
                written[f"f15-{seed}"] = seed

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, first) for first in (20_000, 30_000, 40_000)]
        for _ in range(2):
            before = len(written)
            until(lambda: len(written) > before + 20, within=30)  # noqa: B023 - called in this turn
            scene.mongodb.kill()
            until(lambda: put(scene.house, "f15-refused", 1) == 503, within=15)
            scene.mongodb.restart()
        after = len(written)
        until(lambda: len(written) > after + 20, within=30)
        stop.set()
        for writer in writers:
            writer.result()
    assert slowest < 15
    until(lambda: nothing_waits(scene.house), within=150)
    until(lambda: all_searchable(scene.house, list(written)), within=30)
