from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway.app import create_app
from services.gateway.ports import Ports
from services.gateway.schemas.jobs import JobView
from shared.jobs import Job
from shared.models import RegisteredModel
from shared.spaces import Spaces
from shared.tasks import Train
from shared.trainings import (
    NO_TENSORFLOW,
    AdaptRequest,
    ClassifierRequest,
    Pictures,
    TripletRequest,
    from_json,
    taken,
)

ADAPT = {"kind": "adapt", "name": "ours"}


def stored(ports: Ports, job_id: str) -> Job:
    job = ports.catalogue.office.job("default", job_id)
    assert job is not None
    return job


def started(client: TestClient, **more: Any) -> str:
    answer = client.post("/v1/trainings", json={**ADAPT, **more})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['job_id']}"
    return str(answer.json()["job_id"])


def test_a_training_is_stored_as_a_job_and_rung_for(
    client: TestClient, ports: Ports, queue: Any
) -> None:
    job_id = started(client)
    job = stored(ports, job_id)
    assert (job.kind, job.state) == ("training", "queued")
    assert from_json(job.progress["request"]) == AdaptRequest(name="ours")
    assert queue.rung == [Train("default", job_id)]
    assert JobView.model_validate_json(client.get(f"/v1/jobs/{job_id}").text).kind == "training"
    assert [one["job_id"] for one in client.get("/v1/jobs").json()["jobs"]] == [job_id]


def test_what_is_asked_is_kept_with_places_that_trainers_may_read(
    client: TestClient, ports: Ports
) -> None:
    roots = ports.places.folders[0]
    (roots / "shop" / "mugs").mkdir(parents=True)
    (roots / "net.weights.h5").write_bytes(b"weights")
    uploaded = client.post("/v1/uploads", content=b"query,positive,negative\n").json()["upload_id"]
    classifier = started(
        client,
        kind="classifier",
        backbone="resnet50",
        weights=str(roots / "net.weights.h5"),
        pictures={"folder": str(roots / "shop")},
        epochs=5,
    )
    assert from_json(stored(ports, classifier).progress["request"]) == ClassifierRequest(
        name="ours",
        backbone="resnet50",
        weights=f"file:{roots}/net.weights.h5",
        pictures=Pictures(folder=f"file:{roots}/shop"),
        epochs=5,
    )
    triplet = started(
        client,
        kind="triplet",
        version="2",
        weights="none",
        triplets={"upload_id": uploaded},
        pictures={"categories": [["Home", "Mugs"]], "since": "2026-01-01T00:00:00Z"},
    )
    assert from_json(stored(ports, triplet).progress["request"]) == TripletRequest(
        name="ours",
        version="2",
        weights="none",
        triplets=f"upload:{uploaded}",
        pictures=Pictures(categories=(("Home", "Mugs"),), since=1_767_225_600_000),
    )


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/kind"]),
        ({"kind": "magic", "name": "x"}, ["/kind"]),
        ({"kind": "adapt"}, ["/name"]),
        (
            {"kind": "adapt", "name": "a b", "version": "@", "epochs": 3},
            ["/name", "/version", "/epochs"],
        ),
        ({"kind": "classifier", "name": "x", "epochs": 0, "dim": 9.5}, ["/dim", "/epochs"]),
        ({"kind": "triplet", "name": "x", "loss": "hope", "steps": 10**9}, ["/loss", "/steps"]),
        ({**ADAPT, "pictures": {"since": "2026-01-01T00:00:00"}}, ["/pictures/since"]),
        ({**ADAPT, "pictures": {"categories": [[]]}}, ["/pictures/categories/0"]),
        ({**ADAPT, "pictures": {"folder": "/etc"}}, ["/pictures/folder"]),
        ({**ADAPT, "pictures": {"folder": "ROOTS", "categories": [["a"]]}}, ["/pictures"]),
        ({**ADAPT, "from_model": "../../etc"}, ["/from_model"]),
        ({**ADAPT, "from_model": "nobody@7"}, ["/from_model"]),
        ({"kind": "classifier", "name": "x", "weights": "/etc/passwd"}, ["/weights"]),
        (
            {"kind": "triplet", "name": "x", "triplets": {"upload_id": "upl_x"}},
            ["/triplets/upload_id"],
        ),
    ],
)
def test_what_is_wrong_is_told_field_by_field_and_nothing_is_stored(
    body: dict[str, Any], pointers: list[str], client: TestClient, ports: Ports, queue: Any
) -> None:
    if body.get("pictures", {}).get("folder") == "ROOTS":
        body = {**body, "pictures": {**body["pictures"], "folder": str(ports.places.folders[0])}}
    answer = client.post("/v1/trainings", json=body)
    assert answer.status_code == 422, answer.text
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == pointers
    assert ports.catalogue.office.jobs("default") == []
    assert queue.rung == []


@pytest.mark.parametrize("kind", ["classifier", "triplet"])
def test_a_training_without_backbone_and_weights_is_for_the_installations_model(
    kind: str, client: TestClient, ports: Ports
) -> None:
    """As in the command; a bare network without weights could only fail, hours later."""
    plain = stored(ports, started(client, kind=kind)).progress["request"]
    assert plain["backbone"] == ""
    random = stored(ports, started(client, kind=kind, version="2", weights="none"))
    assert random.progress["request"]["backbone"] == "mobilenetv2-0.35"


def test_a_training_without_a_kind_is_told_which_there_are(client: TestClient) -> None:
    (flaw,) = client.post("/v1/trainings", json={"name": "ours"}).json()["errors"]
    assert flaw["code"] == "missing"
    assert flaw["detail"] == "A training has a kind: adapt, classifier, triplet are."


def test_an_idempotency_key_begins_one_training(client: TestClient, ports: Ports) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (client.post("/v1/trainings", json=ADAPT, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert len(ports.catalogue.office.jobs("default")) == 1


def test_of_two_trainings_with_one_name_and_version_the_second_is_refused(
    client: TestClient, ports: Ports
) -> None:
    job_id = started(client)
    answer = client.post("/v1/trainings", json=ADAPT)
    assert (answer.status_code, answer.json()["code"]) == (409, "model_exists")
    assert job_id in answer.json()["detail"]
    started(client, version="2")
    client.delete(f"/v1/jobs/{job_id}")
    started(client)


def test_a_name_and_version_that_are_registered_are_taken(client: TestClient, ports: Ports) -> None:
    spaces = Spaces("f" * 32, ())
    ports.catalogue.models.register(
        RegisteredModel("mdl_1", "default", "ours", "1", spaces, "blob", "a" * 64, 1, 0)
    )
    answer = client.post("/v1/trainings", json=ADAPT)
    assert (answer.status_code, answer.json()["code"]) == (409, "model_exists")
    started(client, version="2", from_model="ours@1")
    started(client, version="3", from_model="mdl_1")


def test_without_tensorflow_networks_are_refused_and_adapting_is_not(
    ports: Ports, client: TestClient
) -> None:
    bare = create_app(replace(ports, untrainable=NO_TENSORFLOW))
    with TestClient(bare, headers=client.headers) as other:
        for kind in ("classifier", "triplet"):
            answer = other.post("/v1/trainings", json={"kind": kind, "name": "ours"})
            assert (answer.status_code, answer.json()["code"]) == (409, "no_tensorflow")
            assert answer.json()["detail"] == NO_TENSORFLOW
        started(other)


def test_a_training_is_cancelled_at_once_and_again_is_no_matter(
    client: TestClient, ports: Ports
) -> None:
    for take in (False, True):
        job_id = started(client)
        job = stored(ports, job_id)
        if take:
            assert ports.catalogue.office.swap_job(job, taken(job, "w", ports.catalogue.now()))
        ports.blobs.put(f"tenants/default/trainings/{job_id}/a.tar", b"saved")
        for _ in range(2):
            answer = client.delete(f"/v1/jobs/{job_id}")
            assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        assert list(ports.blobs.list("tenants/default/trainings/")) == []


@pytest.mark.parametrize(("state", "stage"), [("succeeded", "x"), ("running", "registering")])
def test_what_is_over_or_about_to_be_cannot_be_cancelled(
    state: Any, stage: str, client: TestClient, ports: Ports
) -> None:
    job = stored(ports, started(client))
    ports.catalogue.office.put_job(
        replace(job, state=state, progress={**job.progress, "stage": stage})
    )
    answer = client.delete(f"/v1/jobs/{job.job_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_report_is_a_page_that_can_do_nothing(client: TestClient, ports: Ports) -> None:
    job = stored(ports, started(client))
    answer = client.get(f"/v1/trainings/{job.job_id}/report")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_report")
    ports.blobs.put("tenants/default/reports/x", b"<p>mugs</p>")
    told = {**job.progress, "report": "tenants/default/reports/x"}
    ports.catalogue.office.put_job(replace(job, progress=told))
    page = client.get(f"/v1/trainings/{job.job_id}/report")
    assert (page.status_code, page.text) == (200, "<p>mugs</p>")
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_an_import_is_cancelled_like_any_job(client: TestClient, ports: Ports) -> None:
    source = ports.places.folders[0] / "shop.bson"
    source.write_bytes(bytes(100))
    begun = client.post("/v1/imports", json={"format": "bson", "source": {"path": str(source)}})
    answer = client.delete(begun.headers["location"])
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


def test_other_jobs_end_by_themselves_and_unknown_ones_are_not_found(
    client: TestClient, ports: Ports
) -> None:
    ports.catalogue.office.put_job(Job("job_1", "default", "build", "running", 1, 1))
    ports.catalogue.office.put_job(Job("job_2", "another", "training", "queued", 1, 1))
    assert client.delete("/v1/jobs/job_1").json()["code"] == "conflict"
    for job_id in ("job_2", "nothing"):
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 404


def test_a_search_key_trains_and_cancels_nothing(client: TestClient, shopper: TestClient) -> None:
    assert shopper.post("/v1/trainings", json=ADAPT).status_code == 403
    assert shopper.delete(f"/v1/jobs/{started(client)}").status_code == 403
