"""A write and a query through separate processes: `python -m benchmarks.distributed [--quick]`.

Gateway, embedder, two workers, reconciler and two search processes of two shards each, over the servers
that the tests use (`make servers`): Redis, Elasticsearch, S3, and as catalogue first SQLite, then the
MongoDB-protocol test server, of which no figure says anything about MongoDB. A product is put, and its
presence is asked for until each stage is reached; then the sample is searched by one client.
"""

import base64
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.claims import Claim, at_most, options, spread, tell
from benchmarks.demo_search import drawn, phases
from benchmarks.house import PRODUCTS, SEED, shelved, until
from benchmarks.load import Call, Client, run
from lookalike.sample.catalogue import make
from tests.servers.elasticsearch import elasticsearch_node
from tests.servers.mongodb import mongodb_server
from tests.servers.redis import redis_server
from tests.servers.s3 import s3_server
from tests.system.house import ADMIN, house
from tests.system.servers import settings_over

STAGES = ("answered", "embedded", "segments", "elasticsearch")
BACKENDS = ("faiss", "exact", "elasticsearch")
WRITES = 60
UPLOADS = 30


@contextmanager
def settings(folder: Path, catalogue: str) -> Iterator[Mapping[str, str]]:
    with ExitStack() as stack:
        starts = (redis_server, mongodb_server, elasticsearch_node, s3_server)
        redis, mongodb, elastic, s3 = (
            stack.enter_context(start(folder / start.__name__)) for start in starts
        )
        known = settings_over(
            mongodb=mongodb.url,
            redis=redis.url,
            cache=redis.url,
            elasticsearch=elastic.url,
            s3=s3.url,
        )
        if catalogue == "sqlite":
            known = {**known, "LOOKALIKE_CATALOGUE": f"sqlite:///{folder}/catalogue.sqlite"}
        yield {**known, "LOOKALIKE_IMPORT_ROOTS": str(folder)}


def measured(folder: Path, catalogue: str, *, products: int, writes: int, duration: float) -> Any:
    with settings(folder, catalogue) as known, house(folder / "house", known) as shop:
        url = str(shop.admin.base_url).rstrip("/")
        client = Client(url, ADMIN)
        imported = brought_in(shop.admin, folder, products)
        waits = [put(shop.admin, f"fresh-{n}", data) for n, data in enumerate(drawn(writes))]
        calls = shelved(client)
        sought = [Call("POST", "/v1/search/image", one, "image/jpeg") for one in drawn(2 * UPLOADS)]
        client.ask(calls[0])
        found = {
            "import_s": imported,
            "put_ms": {stage: spread([wait[stage] for wait in waits]) for stage in STAGES},
            "similar_phases_ms": phases(client, calls),
            "upload": spread([client.seconds(call) for call in sought[:UPLOADS]]),
            "upload_again": spread([client.seconds(call) for call in sought[:UPLOADS]]),
            "upload_phases_ms": phases(client, sought[UPLOADS:]),
        }
        client.close()
        for backend in BACKENDS:
            asked = [Call(c.method, f"{c.path}?backend={backend}") for c in calls]
            found[f"similar_{backend}"] = run(url, ADMIN, asked, 1, duration)
    return found


def brought_in(admin: httpx.Client, folder: Path, products: int) -> dict[str, float]:
    """Seconds until the import was done, and until all of it was searchable in every backend."""
    path = folder / "sample.bson"
    make(path, products=products, seed=SEED)
    begun = time.perf_counter()
    body = {"format": "bson", "source": {"path": str(path)}}
    job = admin.post("/v1/imports", json=body).raise_for_status().headers["Location"]
    until(lambda: admin.get(job).json()["state"] == "succeeded", pause=0.05)
    written = time.perf_counter() - begun
    until(lambda: not any(admin.get("/v1/stats").json()["pending"].values()), pause=0.05)
    return {"written": round(written, 2), "searchable": round(time.perf_counter() - begun, 2)}


def put(admin: httpx.Client, product_id: str, picture: bytes) -> dict[str, float]:
    """Seconds from before the request to every stage."""
    body = {"title": product_id, "images": [{"base64": base64.b64encode(picture).decode()}]}
    begun, reached = time.perf_counter(), {}
    admin.put(f"/v1/products/{product_id}", json=body).raise_for_status()
    reached["answered"] = time.perf_counter() - begun
    while len(reached) < len(STAGES):
        (index,) = admin.get(f"/v1/products/{product_id}/presence").json()["indexes"]
        here = {t["target"].rpartition("/")[2]: t["searchable"] for t in index["targets"]}
        here["embedded"] = index["images"][0]["state"] == "embedded"
        # a target that has the product without its picture is not what was waited for
        for stage in STAGES[1:] if here["embedded"] else ():
            if here[stage]:
                reached.setdefault(stage, time.perf_counter() - begun)
        time.sleep(0.01)
    return reached


def claims(found: dict[str, Any]) -> list[Claim]:
    over = found["sqlite"]
    return [
        at_most(
            "PUT to searchable in segments, p50",
            over["put_ms"]["segments"]["p50_ms"] / 1_000,
            1,
            "s",
        ),
        at_most(
            "PUT to searchable in segments, p99",
            over["put_ms"]["segments"]["p99_ms"] / 1_000,
            2,
            "s",
        ),
        at_most(
            "similar by product, 4 shards in 2 processes, p50",
            over["similar_faiss"]["p50_ms"],
            12,
            "ms",
        ),
    ]


def main() -> None:
    quick = options(__doc__).parse_args().quick
    found = {}
    for catalogue in ("sqlite",) if quick else ("sqlite", "mongodb"):
        with tempfile.TemporaryDirectory() as folder:
            found[catalogue] = measured(
                Path(folder),
                catalogue,
                products=40 if quick else PRODUCTS,
                writes=5 if quick else WRITES,
                duration=0.5 if quick else 5.0,
            )
    tell("distributed", claims(found), found)


if __name__ == "__main__":
    main()
