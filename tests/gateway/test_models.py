"""Models over HTTP: handed in, tried by the embedder, listed, given up."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.embedder.archive import pack
from services.embedder.model import BUNDLED, DEFAULT, read_manifest
from services.embedder.ports import Ports as EmbedderPorts
from services.embedder.registry import bundled as folders
from services.embedder.registry import bundled_models
from services.embedder.tasks import handle
from services.gateway.app import create_app
from services.gateway.keys import ensure_key
from services.gateway.ports import Ports
from services.indexer.ports import Limits
from services.indexer.ports import Ports as IndexerPorts
from services.indexer.reconciler import registering
from shared.errors import Unavailable
from shared.indexes import Index
from shared.models import BundledModel, registration_lease
from shared.tasks import RegisterModel
from tests.model_folders import turned

Answer = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    told: dict[str, Any] = {
        "quality": {"precision_at_10": 0.5},
        "pace": {"pictures_per_second": 40},
    }
    return turned(tmp_path / "turned", training={"kind": "triplet"}, **told)


def _tar(folder: Path) -> bytes:
    out = io.BytesIO()
    pack(folder, out)
    return out.getvalue()


@pytest.fixture
def embedder(ports: Ports) -> EmbedderPorts:
    return EmbedderPorts(
        *(ports.catalogue, ports.blobs, ports.queue, ports.embedder, ports.targets, ports.places)
    )


@pytest.fixture
def upload(client: TestClient) -> Callable[[bytes], str]:
    def sent(data: bytes) -> str:
        headers = {"Content-Type": "application/x-tar"}
        answer = client.post("/v1/uploads", content=data, headers=headers)
        assert answer.status_code == 201, answer.text
        upload_id: str = answer.json()["upload_id"]
        return upload_id

    return sent


@pytest.fixture
def hand_in(client: TestClient, queue: Any, embedder: EmbedderPorts) -> Callable[..., Answer]:
    """Posted, tried by the embedder's worker; the job as it is then."""

    def posted(**body: str) -> Answer:
        answer = client.post("/v1/models", json=body)
        assert answer.status_code == 202, answer.text
        assert answer.json()["state"] == "queued"
        handle(embedder, queue.rung[-1])
        job: Answer = client.get(answer.headers["location"]).json()
        return job

    return posted


def test_a_model_is_handed_in_tried_and_listed(
    client: TestClient, hand_in: Callable[..., Answer], upload: Callable[[bytes], str], folder: Path
) -> None:
    job = hand_in(upload_id=upload(_tar(folder)))
    assert (job["state"], job["kind"], job["progress"]["model"]) == (
        *("succeeded", "model"),
        "turned@1",
    )
    one = client.get(f"/v1/models/{job['progress']['model_id']}").json()
    assert one == client.get("/v1/models/turned@1").json()
    assert one["fingerprint"] == read_manifest(folder).spaces.fingerprint
    assert one["quality"] == {"precision_at_10": 0.5}
    assert (one["pace"], one["training"]) == ({"pictures_per_second": 40}, {"kind": "triplet"})
    assert one["indexes"] == []
    registered, bundled = client.get("/v1/models").json()["models"]
    assert registered == one
    assert (bundled["name"], bundled["model_id"], bundled["indexes"]) == (
        *("tiny", None),
        ["idx_test"],
    )


@pytest.fixture
def bundled_client(ports: Ports) -> Iterator[TestClient]:
    """Of an embedder that brings the models that come along."""
    key = ensure_key(ports.catalogue, "default", "admin", "tests")
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(create_app(replace(ports, bundled=bundled_models)), headers=headers) as client:
        yield client


def test_bundled_models_are_listed_and_shown_by_name(
    bundled_client: TestClient, ports: Ports
) -> None:
    *bundled, gone = bundled_client.get("/v1/models").json()["models"]
    assert [one["name"] for one in bundled] == [folder.name for folder in folders()]
    assert {(one["bundled"], one["model_id"]) for one in bundled} == {(True, None)}
    assert (gone["name"], gone["bundled"], gone["indexes"]) == ("tiny", False, ["idx_test"])
    one = bundled_client.get(f"/v1/models/{DEFAULT}").json()
    manifest = read_manifest(BUNDLED / DEFAULT)
    assert one in bundled
    assert (one["version"], one["licence"]) == (manifest.version, manifest.licence)
    assert one["fingerprint"] == manifest.spaces.fingerprint
    ports.catalogue.indexes.create(
        Index("idx_2", "default", DEFAULT, manifest.spaces, 1, ("segments",), (), "ready", 0)
    )
    assert bundled_client.get(f"/v1/models/{DEFAULT}").json()["indexes"] == ["idx_2"]


def test_a_bundled_model_is_not_removed(bundled_client: TestClient) -> None:
    refused = bundled_client.delete(f"/v1/models/{DEFAULT}")
    assert (refused.status_code, refused.json()["code"]) == (409, "bundled_model")
    assert bundled_client.get(f"/v1/models/{DEFAULT}").status_code == 200


def test_a_name_of_nobody_is_answered_with_those_that_there_are(
    bundled_client: TestClient,
) -> None:
    for method in ("GET", "DELETE"):
        absent = bundled_client.request(method, "/v1/models/nobody")
        assert (absent.status_code, absent.json()["code"]) == (404, "no_such_model")
        assert ", ".join(folder.name for folder in folders()) in absent.json()["detail"]


def test_an_index_can_be_built_of_a_bundled_model_as_it_is(bundled_client: TestClient) -> None:
    made = bundled_client.post("/v1/reembeddings", json={"model": DEFAULT})
    assert made.status_code == 202, made.text
    index = bundled_client.get(f"/v1/indexes/{made.json()['progress']['index']}").json()
    assert index["model"] == DEFAULT
    assert index["fingerprint"] == read_manifest(BUNDLED / DEFAULT).spaces.fingerprint


def test_while_no_embedder_is_there_registered_models_are_shown_by_their_ids(
    ports: Ports, hand_in: Callable[..., Answer]
) -> None:
    def away() -> list[BundledModel]:
        raise Unavailable("Nobody tells at the moment which models are bundled.")

    title = hand_in(bundled=DEFAULT)["progress"]["model"]
    key = ensure_key(ports.catalogue, "default", "admin", "tests")
    with TestClient(create_app(replace(ports, bundled=away))) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.get(f"/v1/models/{title}").status_code == 200
        assert client.get("/v1/models").json()["code"] == "unavailable"


def test_a_bundled_model_is_registered_by_its_name(
    client: TestClient, hand_in: Callable[..., Answer]
) -> None:
    job = hand_in(bundled=DEFAULT)
    assert job["state"] == "succeeded"
    assert client.get(f"/v1/models/{job['progress']['model']}").json()["name"] == DEFAULT
    unknown = hand_in(bundled="passwd")
    assert (unknown["state"], unknown["progress"]["code"]) == ("failed", "no_such_model")


@pytest.mark.parametrize(
    ("data", "why"), [(b"no tar at all", "no archive of a model"), (b"", "The body is empty")]
)
def test_what_is_no_model_is_told_by_the_job(
    client: TestClient, hand_in: Callable[..., Answer], data: bytes, why: str
) -> None:
    sent = client.post(
        "/v1/uploads", content=data, headers={"Content-Type": "application/octet-stream"}
    )
    told = sent.json()["detail"] if sent.status_code != 201 else ""
    if not told:
        job = hand_in(upload_id=sent.json()["upload_id"])
        assert (job["state"], job["progress"]["code"]) == ("failed", "bad_model")
        told = job["detail"]
    assert why in told
    assert [one["model_id"] for one in client.get("/v1/models").json()["models"]] == [None]


def test_a_model_with_a_changed_file_is_not_registered(
    client: TestClient,
    hand_in: Callable[..., Answer],
    upload: Callable[[bytes], str],
    folder: Path,
    ports: Ports,
) -> None:
    weights = folder / "model.tflite"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    job = hand_in(upload_id=upload(_tar(folder)))
    assert job["state"] == "failed"
    assert "is not the file that model.json describes" in job["detail"]
    assert client.get("/v1/models/turned@1").status_code == 404
    assert list(ports.blobs.list("tenants/default/models/")) == []


def test_an_upload_that_is_not_there_or_no_source_at_all_is_refused(client: TestClient) -> None:
    absent = client.post("/v1/models", json={"upload_id": "upl_0"})
    assert (absent.status_code, absent.json()["code"]) == (422, "no_such_upload")
    for body in ({}, {"upload_id": "upl_0", "bundled": "small"}, {"bundled": "../up"}):
        assert client.post("/v1/models", json=body).status_code == 422


def test_a_model_in_use_stays_and_says_by_whom(
    client: TestClient,
    hand_in: Callable[..., Answer],
    upload: Callable[[bytes], str],
    folder: Path,
    ports: Ports,
) -> None:
    hand_in(upload_id=upload(_tar(folder)))
    spaces = read_manifest(folder).spaces
    ports.catalogue.indexes.create(
        Index("idx_2", "default", "turned@1", spaces, 1, ("segments",), (), "ready", 0)
    )
    assert client.get("/v1/models/turned@1").json()["indexes"] == ["idx_2"]
    refused = client.delete("/v1/models/turned@1")
    assert (refused.status_code, refused.json()["code"]) == (409, "model_in_use")
    ports.catalogue.indexes.drop("idx_2")
    assert client.delete("/v1/models/turned@1").status_code == 204
    assert client.get("/v1/models/turned@1").status_code == 404
    assert list(ports.blobs.list("tenants/default/models/")) == []


def test_a_registration_whose_ring_was_lost_is_rung_for_until_somebody_is_at_it(
    client: TestClient, queue: Any, ports: Ports, embedder: EmbedderPorts, tmp_path: Path
) -> None:
    queue.deaf = True
    job_id = client.post("/v1/models", json={"bundled": DEFAULT}).json()["job_id"]
    indexer = IndexerPorts(
        *(ports.catalogue, ports.blobs, ports.queue, ports.targets, tmp_path, Limits())
    )
    task = RegisterModel("default", job_id)
    assert list(registering(indexer)) == [task]
    office = ports.catalogue.office
    office.lease(registration_lease(job_id), "another", 60_000)
    assert list(registering(indexer)) == []
    handle(embedder, task)
    assert client.get(f"/v1/jobs/{job_id}").json()["state"] == "queued"
    office.lease(registration_lease(job_id), "another", 0)
    handle(embedder, task)
    assert client.get(f"/v1/jobs/{job_id}").json()["state"] == "succeeded"
    assert list(registering(indexer)) == []


def test_shoppers_see_no_models(shopper: TestClient) -> None:
    assert shopper.get("/v1/models").status_code == 403
