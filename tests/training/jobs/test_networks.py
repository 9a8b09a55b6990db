"""Networks are taught as jobs, by a real TensorFlow in the process of each."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import numpy as np
import pytest

from lookalike.embedded import embedded
from services.embedder.inprocess import InProcessEmbedder
from services.embedder.registry import Shelf
from services.gateway.keys import ensure_key
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.port import Catalogue
from shared.jobs import FINISHED, Job
from shared.seams.embedder import Embedding
from shared.tasks import Train
from tests.client.house import served
from tests.training.drawn import draw_folders
from tests.training.jobs.stage import TENANT, job_of, trainings_here, until

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is absent"),
]


class Shop:
    """A house with photos in folders, and who asks it for networks so small that they take seconds."""

    def __init__(self, folder: Path, catalogue: Catalogue, client: httpx.Client) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self._client = client

    def post(self, name: str) -> Train:
        small = {"backbone": "mobilenetv2-0.35", "weights": "none", "side": 32, "dim": 8}
        pictures = {"folder": f"{self.folder}/photos"}
        asked = {"kind": "classifier", "name": name, "pictures": pictures, "epochs": 1, **small}
        answer = self._client.post("/v1/trainings", json=asked)
        assert answer.status_code == 202, answer.text
        return Train(TENANT, answer.json()["job_id"])

    def job(self, task: Train) -> Job:
        return job_of(self.catalogue, task)

    def cancel(self, task: Train) -> None:
        answer = self._client.delete(f"/v1/jobs/{task.job_id}")
        assert answer.json()["state"] == "cancelled", answer.text

    def models(self) -> list[str]:
        return [model.title for model in self.catalogue.models.all(TENANT)]

    def shelf(self) -> Shelf:
        data = self.folder / "data"
        return Shelf(self.catalogue, FsspecBlobs((data / "blobs").as_uri()), self.folder / "shelf")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    photos = draw_folders(folder / "photos", categories=2)
    with embedded(folder / "data", import_roots=(photos,)) as inside, served(inside) as url:
        key = ensure_key(inside.catalogue, TENANT, "admin", "test")
        said = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=url, headers=said) as client:
            yield Shop(folder, inside.catalogue, client)


def test_a_network_that_was_taught_embeds_pictures(shop: Shop) -> None:
    task = shop.post("ours")
    until(lambda: shop.job(task).state in FINISHED, within=500)
    job = shop.job(task)
    assert (job.state, job.progress.get("model")) == ("succeeded", "ours@1"), job.detail
    embedder = InProcessEmbedder(shop.shelf().folder(TENANT, "ours@1"))
    assert embedder.spaces.fingerprint == job.progress["fingerprint"]
    (made,) = embedder.embed([(shop.folder / "photos" / "kind" / "0" / "0.jpg").read_bytes()])
    assert isinstance(made, Embedding)
    content = np.frombuffer(made.vector, np.float32)[embedder.spaces.slices()["content"]]
    assert len(content) == 8
    assert np.linalg.norm(content) == pytest.approx(1, abs=1e-5)


def test_a_network_that_is_not_wanted_any_more_leaves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.models()
    monkeypatch.setenv("LOOKALIKE_FAILPOINT", "training.told:sleep-600:learning")
    task = shop.post("left")
    until(lambda: shop.job(task).progress.get("stage") == "looking", within=500)
    shop.cancel(task)
    until(lambda: not trainings_here())
    until(lambda: not any((shop.folder / "data" / "trainings").iterdir()))
    assert shop.models() == before
