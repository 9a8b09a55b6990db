"""A shop with something to learn, and what is to be seen of a training while it runs."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.embedder.training.jobs.running import Trainer
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import ImageWrite, VectorWrite
from shared.catalogue.port import Catalogue
from shared.catalogue.products import ProductWrite
from shared.ids import new_id
from shared.images import Place, sha256_of
from shared.jobs import Job
from shared.places import Places
from shared.products import Attributes
from shared.spaces import Spaces
from shared.tasks import Train
from shared.trainings import AdaptRequest, TrainingRequest, posted
from shared.vectors import Floats, to_bytes

TENANT: Final = "default"
MODEL: Final = BUNDLED / DEFAULT
CATEGORIES, EACH = 20, 8


def stock(catalogue: Catalogue, *, told: bool = True, tenant: str = TENANT) -> None:
    """Products whose photos differ loudly in what says nothing of their category.

    Unless `told`, their categories say nothing of them either: then there is nothing to learn.
    """
    spaces, rng = read_manifest(MODEL).spaces, np.random.default_rng(2)
    late = catalogue.now() + 600_000
    images, vectors, products = [], [], []
    for number in range(CATEGORIES * EACH):
        category = number // EACH
        name = f"{category if told else rng.integers(CATEGORIES)}"
        sha = sha256_of(f"{number}".encode())
        place = Place(f"tenants/{tenant}/pictures/{sha}", 0, 1)
        images.append(ImageWrite(tenant, sha, place, "image/jpeg", 8, 8, not_after=late))
        vector = to_bytes(_vector(spaces, category, rng))
        vectors.append(VectorWrite(tenant, sha, spaces.fingerprint, vector))
        said = Attributes(category=("All", name))
        products.append(ProductWrite(tenant, f"p{number}", said, (sha,), frozenset(), late))
    catalogue.images.put(images)
    for write in vectors:
        catalogue.images.store_vector(write)
    catalogue.products.upsert(products)


class Clock:
    """The time of day, and what a test adds to it."""

    def __init__(self) -> None:
        self._ahead = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead

    def advance(self, milliseconds: int) -> None:
        self._ahead += milliseconds


def trainer_at(data: Path, catalogue: Catalogue, folder: Path) -> Trainer:
    """A machine, of which there may be several over one catalogue."""
    blobs = FsspecBlobs((data / "blobs").as_uri(), data / "cache")
    known = {
        "data": str(data),
        "catalogue": f"sqlite:///{data}/catalogue.sqlite",
        "blobs": (data / "blobs").as_uri(),
        "model": str(MODEL),
    }
    return Trainer(catalogue, blobs, Places(blobs, catalogue.office, (data,)), folder, known)


def _vector(spaces: Spaces, category: int, rng: np.random.Generator) -> Floats:
    vector = rng.standard_normal(spaces.dim).astype(np.float32)
    content = vector[spaces.slices()["content"]]
    content *= 0.3
    content[:8] += np.random.default_rng(category).standard_normal(8)
    content[-8:] *= 10
    for part in spaces.slices().values():
        vector[part] /= np.linalg.norm(vector[part])
    return vector


def asked(name: str = "ours", **more: object) -> AdaptRequest:
    return replace(AdaptRequest(name=name), **more)  # type: ignore[arg-type]


def post(catalogue: Catalogue, request: TrainingRequest | None = None) -> Train:
    """As the gateway does it, but for the ring."""
    job = posted(new_id("trn"), TENANT, request or asked(), catalogue.now())
    catalogue.office.put_job(job)
    return Train(TENANT, job.job_id)


def job_of(catalogue: Catalogue, task: Train) -> Job:
    job = catalogue.office.job(task.tenant, task.job_id)
    assert job is not None
    return job


def until(done: Callable[[], object], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def trainings_of(parent: int) -> list[int]:
    """The processes in which trainings of a process run."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    found = [int(pid) for one in children for pid in one.read_text().split()]
    return [pid for pid in found if b"training.jobs.child" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def trainings_here() -> list[int]:
    return trainings_of(os.getpid())
