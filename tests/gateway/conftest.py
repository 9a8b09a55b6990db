"""The gateway over a real catalogue and real files; small honest services stand in for the others.

The stand-ins keep the laws of the ports: the embedder decodes with the real decoder, the searcher
compares every vector in the catalogue, the workshop does what embedder and indexer workers do.
"""

import io
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from services.embedder.decode import cut, decode, perceptual_hash, thumbnail
from services.gateway.app import create_app
from services.gateway.keys import ensure_key
from services.gateway.ports import Ports
from services.gateway.settings import GatewaySettings
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import VectorWrite
from shared.catalogue.port import Catalogue
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.catalogue.targets import Targets
from shared.errors import Conflict, LookalikeError, NotConfigured
from shared.filters import passes
from shared.hits import Hit, SearchAnswer, SearchRequest
from shared.images import Crop
from shared.indexes import Index
from shared.places import Places
from shared.products import BUCKETS, Product
from shared.seams.embedder import Embedding, Failure
from shared.seams.searcher import BackendState
from shared.spaces import Space, Spaces
from shared.tasks import QueueName, Task, queue_of
from shared.vectors import blended, from_bytes, to_bytes, unit_spaces

with warnings.catch_warnings():
    # Starlette would rather have httpx2; the client of tests needs nothing of it
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

SPACES = Spaces("fp-test", (Space("content", 12, "fp-content"), Space("colour", 3, "fp-colour")))
INDEX = "idx_test"
TARGET = f"{INDEX}/segments"


class RecordingQueue:
    """Remembers rings; `deaf` plays a queue that is down."""

    def __init__(self) -> None:
        self.rung: list[Task] = []
        self.deaf = False

    def ring(self, task: Task) -> bool:
        if not self.deaf:
            self.rung.append(task)
        return not self.deaf

    def waiting(self, queue: QueueName) -> int:
        return sum(queue_of(task) == queue for task in self.rung)


class TinyEmbedder:
    """Mean colours of four quarters and of the whole; deterministic, and alike for alike pictures."""

    spaces = SPACES

    def embed(
        self, pictures: Sequence[bytes], *, crop: Crop | None = None, thumbnails: bool = False
    ) -> list[Embedding | Failure]:
        return [self._one(data, crop, thumbnails=thumbnails) for data in pictures]

    def _one(self, data: bytes, crop: Crop | None, *, thumbnails: bool) -> Embedding | Failure:
        try:
            picture = decode(data, crop)
        except LookalikeError as error:
            return Failure(error.kind, error.detail)
        pixels = picture.pixels if crop is None else cut(picture.pixels, crop)
        quarters = cv2.resize(pixels, (2, 2), interpolation=cv2.INTER_AREA).astype(np.float32)
        whole = np.concatenate([quarters.ravel() + 1, quarters.mean((0, 1)) + 1])
        return Embedding(
            unit_spaces(whole, SPACES).tobytes(),
            picture.width,
            picture.height,
            perceptual_hash(picture.pixels),
            thumbnail(picture) if thumbnails else None,
        )


@dataclass
class BruteSearcher:
    """Compares the query with every vector in the catalogue.

    `stale` are products that it goes on showing as it saw them, like an index that lags behind.
    """

    catalogue: Catalogue
    stale: dict[str, Product] = field(default_factory=dict)
    asked: list[SearchRequest] = field(default_factory=list)

    def search(self, request: SearchRequest) -> SearchAnswer:
        self.asked.append(request)
        if request.backend == "elasticsearch":
            raise NotConfigured("Elasticsearch is not configured: set LOOKALIKE_ELASTICSEARCH.")
        shown = self._shown(request.tenant)
        query = self._query(request, shown)
        left_out = request.leave_out | {part.product_id for part in request.products}
        hits = [
            hit
            for product in shown.values()
            if product.product_id not in left_out
            if request.filter is None or passes(request.filter, product.attributes)
            if (hit := self._best(product, query, request)) is not None
        ]
        hits.sort(key=lambda hit: (-hit.similarity, hit.product_id))
        if request.after is not None:
            place = (-request.after.similarity, request.after.product_id)
            hits = [hit for hit in hits if (-hit.similarity, hit.product_id) > place]
        return SearchAnswer(
            hits=tuple(hits[: request.limit]),
            backend="exact",
            plan="exact scan",
            rows_seen=len(shown),
            generation=1,
            as_of=self.catalogue.now(),
            shards_ok=1,
        )

    def backends(self, index: str) -> Sequence[BackendState]:
        assert self.catalogue.indexes.get(index) is not None
        return (
            BackendState("exact", configured=True, healthy=True),
            BackendState("elasticsearch", configured=False, healthy=False, reason="set a URL"),
        )

    def _shown(self, tenant: str) -> dict[str, Product]:
        products = {p.product_id: p for p in self.catalogue.products.page(tenant)}
        alive = {id_: p for id_, p in products.items() if not p.deleted}
        return {**alive, **self.stale}

    def _vectors(self, product: Product) -> dict[str, Any]:
        images = self.catalogue.images.get(product.tenant, product.images)
        return {
            sha: from_bytes(image.vectors[SPACES.fingerprint])
            for sha, image in images.items()
            if SPACES.fingerprint in image.vectors
        }

    def _query(self, request: SearchRequest, shown: dict[str, Product]) -> Any:
        whole = np.zeros(SPACES.dim, dtype=np.float32)
        if request.vector is not None:
            whole += np.frombuffer(request.vector, dtype=np.float32)
        for part in request.products:
            vectors = self._vectors(shown[part.product_id]) if part.product_id in shown else {}
            if not vectors:
                raise Conflict("Not searchable yet.", code="product_not_searchable")
            whole += part.weight * next(iter(vectors.values()))
        weights = {name: request.blend.get(name, 0.0) for name in SPACES.slices()}
        return blended(whole, SPACES, weights)

    def _best(self, product: Product, query: Any, request: SearchRequest) -> Hit | None:
        scored = [(float(v @ query), sha) for sha, v in self._vectors(product).items()]
        if not scored:
            return None
        similarity, sha = max(scored)
        if request.min_similarity is not None and similarity < request.min_similarity:
            return None
        return Hit(product.product_id, sha, similarity, {"content": similarity}, product.revision)


@dataclass
class Workshop:
    """What the workers do, at once and in full."""

    ports: Ports

    def embed(self) -> None:
        catalogue, fingerprint = self.ports.catalogue, SPACES.fingerprint
        for claim in catalogue.images.claimable(fingerprint, 1_000):
            place = claim.place
            data = self.ports.blobs.read(place.blob, place.offset, place.length)
            (result,) = self.ports.embedder.embed([data])
            if isinstance(result, Failure):
                error = f"{result.code}: {result.detail}"
                catalogue.images.store_verdict(
                    claim.tenant, claim.sha256, fingerprint, place=place, error=error
                )
            else:
                vector = to_bytes(np.frombuffer(result.vector, dtype=np.float32))
                write = VectorWrite(claim.tenant, claim.sha256, fingerprint, vector)
                catalogue.images.store_vector(write)
            fresh = self.ports.targets.fresh(claim.tenant)
            catalogue.products.bump_showing(
                claim.tenant, [claim.sha256], targets=fresh.names, not_after=fresh.not_after
            )
            catalogue.images.announced(claim.tenant, [claim.sha256], fingerprint)

    def index(self, *, seen: bool = True) -> None:
        """Marks what is pending and commits; with `seen`, the one reader shows it."""
        catalogue = self.ports.catalogue
        ids = catalogue.products.pending("default", TARGET, range(BUCKETS), 10_000)
        done = [(p.product_id, p.revision) for p in catalogue.products.get("default", ids).values()]
        catalogue.products.mark("default", TARGET, done)
        expected = catalogue.indexes.pointer(INDEX, 0).generation
        catalogue.indexes.swap(
            INDEX, 0, expected=expected, manifest="m", as_of=catalogue.now(), emptied=False
        )
        catalogue.indexes.report(INDEX, 0, "search-0", expected + int(seen))

    def settle(self) -> None:
        self.embed()
        self.index()


@pytest.fixture
def settings() -> GatewaySettings:
    return GatewaySettings()


@pytest.fixture
def ports(tmp_path: Path, settings: GatewaySettings) -> Iterator[Ports]:
    roots = tmp_path / "imports"
    roots.mkdir()
    with SqliteCatalogue(tmp_path / "catalogue.sqlite") as catalogue:
        catalogue.indexes.create(
            Index(INDEX, "default", "tiny", SPACES, 1, ("segments",), ("size",), "ready", 0)
        )
        catalogue.indexes.move_alias("default", "live", INDEX)
        blobs = FsspecBlobs(f"file://{tmp_path}/blobs")
        yield Ports(
            catalogue=catalogue,
            blobs=blobs,
            queue=RecordingQueue(),
            embedder=TinyEmbedder(),
            searcher=BruteSearcher(catalogue),
            targets=Targets(catalogue),
            settings=settings,
            places=Places(blobs, catalogue.office, (roots,)),
        )


@pytest.fixture
def queue(ports: Ports) -> RecordingQueue:
    assert isinstance(ports.queue, RecordingQueue)
    return ports.queue


@pytest.fixture
def searcher(ports: Ports) -> BruteSearcher:
    assert isinstance(ports.searcher, BruteSearcher)
    return ports.searcher


@pytest.fixture
def workshop(ports: Ports) -> Workshop:
    return Workshop(ports)


@pytest.fixture
def client(ports: Ports) -> Iterator[TestClient]:
    """With an admin key."""
    key = ensure_key(ports.catalogue, "default", "admin", "tests")
    with TestClient(create_app(ports), headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.fixture
def shopper(ports: Ports) -> Iterator[TestClient]:
    """With a search key."""
    key = ensure_key(ports.catalogue, "default", "search", "tests")
    with TestClient(create_app(ports), headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.fixture
def stranger(ports: Ports) -> Iterator[TestClient]:
    """Without a key."""
    with TestClient(create_app(ports)) as client:
        yield client


@pytest.fixture
def draw() -> Callable[..., bytes]:
    """A picture of two colours, by a seed; the same seed gives the same bytes."""

    def drawn(seed: int, *, side: int = 64, kind: str = "jpg") -> bytes:
        colours = np.random.default_rng(seed).integers(0, 256, (2, 3))
        pixels = np.repeat(colours, side // 2, axis=0)[:, None, :].repeat(side, axis=1)
        done, data = cv2.imencode(f".{kind}", pixels.astype(np.uint8))
        assert done
        return data.tobytes()

    return drawn


@pytest.fixture
def put(client: TestClient, draw: Callable[..., bytes]) -> Callable[..., Any]:
    """A product with one drawn picture, by multipart."""
    import json

    def sent(product_id: str, seed: int | None = None, **attributes: Any) -> Any:
        picture = draw(seed if seed is not None else sum(product_id.encode()))
        return client.put(
            f"/v1/products/{product_id}",
            data={"product": json.dumps(attributes)},
            files=[("images", ("a.jpg", io.BytesIO(picture), "image/jpeg"))],
        )

    return sent


@pytest.fixture
def floats() -> Callable[[bytes], list[float]]:
    """float32 bytes as numbers."""
    return lambda data: list(struct.unpack(f"<{len(data) // 4}f", data))
