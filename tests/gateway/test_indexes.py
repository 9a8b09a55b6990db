"""Indexes beside each other: seen, begun, given up; and a catalogue brought to another model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway.ports import Ports
from services.gateway.schemas.indexes import IndexView
from services.gateway.schemas.jobs import JobView
from shared.catalogue.building import reembedding_id
from shared.models import RegisteredModel
from shared.spaces import Space, Spaces
from shared.tasks import BuildIndex

LIVE = "idx_test"
OTHER = Spaces("fp-other", (Space("content", 8, "fp-other-content"),))


@pytest.fixture
def model(ports: Ports) -> RegisteredModel:
    drawn = RegisteredModel("mdl_1", "default", "shop", "2", OTHER, "archive", "0" * 64, 9, 0)
    return ports.catalogue.models.register(drawn)


def seen(client: TestClient, index_id: str) -> IndexView:
    answer = client.get(f"/v1/indexes/{index_id}")
    assert answer.status_code == 200, answer.text
    return IndexView.model_validate(answer.json())


def begun(client: TestClient, **body: Any) -> IndexView:
    answer = client.post("/v1/indexes", json=body)
    assert answer.status_code == 202, answer.text
    view = IndexView.model_validate(answer.json())
    assert answer.headers["location"] == f"/v1/jobs/{view.job_id}"
    return view


def reembedded(client: TestClient, **body: Any) -> JobView:
    answer = client.post("/v1/reembeddings", json=body)
    assert answer.status_code == 202, answer.text
    view = JobView.model_validate(answer.json())
    assert answer.headers["location"] == f"/v1/jobs/{view.job_id}"
    return view


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_index_tells_its_model_and_how_far_it_is(
    client: TestClient, put: Callable[..., Any], workshop: Any
) -> None:
    put("1", title="One")
    waiting = seen(client, LIVE)
    assert (waiting.model, waiting.fingerprint, waiting.state) == ("tiny", "fp-test", "ready")
    assert waiting.spaces == {"content": 12, "colour": 3}
    assert waiting.aliases == ["live"]
    assert waiting.build.model_dump() == {
        "products": 1,
        "pending": {"segments": 1},
        "images": 1,
        "images_unembedded": 1,
    }
    workshop.settle()
    settled = seen(client, LIVE)
    assert (settled.build.pending, settled.build.images_unembedded) == ({"segments": 0}, 0)
    assert settled.generation == waiting.generation + 1
    assert client.get("/v1/indexes").json()["indexes"] == [settled.model_dump(mode="json")]


def test_an_index_of_another_shape_is_begun_beside_the_live_one(
    client: TestClient, ports: Ports, queue: Any
) -> None:
    made = begun(client, shards=3, declared=["size", "season"])
    assert (made.shards, made.declared, made.state) == (3, ("size", "season"), "building")
    assert (made.fingerprint, made.targets, made.takes_over) == ("fp-test", ("segments",), None)
    assert queue.rung == [BuildIndex(made.index_id)]
    assert client.get(f"/v1/jobs/{made.job_id}").json()["state"] == "running"
    alias = ports.catalogue.indexes.alias("default", "live")
    assert alias is not None
    assert alias.index_id == LIVE


def test_the_same_request_twice_makes_one_index(client: TestClient) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.post("/v1/indexes", json={"shards": 2}, headers=headers).json()
    again = client.post("/v1/indexes", json={"shards": 2}, headers=headers).json()
    assert first == again
    assert len(client.get("/v1/indexes").json()["indexes"]) == 2


@pytest.mark.parametrize("name", ["mdl_1", "shop@2", "shop"])
def test_a_registered_model_is_named_in_three_ways(
    name: str, client: TestClient, model: RegisteredModel
) -> None:
    made = begun(client, model=name)
    assert (made.model, made.fingerprint) == (model.title, "fp-other")


def test_the_model_of_an_index_that_is_there_is_known_by_its_name(client: TestClient) -> None:
    assert begun(client, model="tiny").fingerprint == "fp-test"


@pytest.mark.parametrize("name", ["nobody", "nobody@1", "mdl_9"])
def test_a_model_that_is_not_there_is_told_with_how_to_bring_it(
    name: str, client: TestClient
) -> None:
    for path in ("/v1/indexes", "/v1/reembeddings"):
        answer = client.post(path, json={"model": name})
        assert code(answer) == (404, "no_such_model")
        assert "lookalike model add" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{"shards": 0}, {"targets": []}, {"declared": [""]}, {"x": 1}])
def test_a_shape_that_cannot_be_is_refused(body: dict[str, Any], client: TestClient) -> None:
    assert client.post("/v1/indexes", json=body).status_code == 422


def test_a_backend_that_is_not_configured_is_no_target(client: TestClient) -> None:
    answer = client.post("/v1/indexes", json={"targets": ["segments", "elasticsearch"]})
    assert code(answer) == (409, "backend_not_configured")


def test_an_index_is_given_up_and_the_indexer_hears_of_it(
    client: TestClient, ports: Ports, queue: Any
) -> None:
    made = begun(client, shards=2)
    queue.rung.clear()
    assert client.delete(f"/v1/indexes/{made.index_id}").status_code == 202
    assert seen(client, made.index_id).state == "retired"
    assert queue.rung == [BuildIndex(made.index_id)]
    ports.catalogue.indexes.drop(made.index_id)
    assert client.delete(f"/v1/indexes/{made.index_id}").status_code == 404


@pytest.mark.parametrize("alias", ["live", "canary"])
def test_an_index_that_an_alias_is_on_is_kept(alias: str, client: TestClient, ports: Ports) -> None:
    ports.catalogue.indexes.move_alias("default", alias, LIVE)
    assert code(client.delete(f"/v1/indexes/{LIVE}")) == (409, "in_use")
    assert seen(client, LIVE).state == "ready"


def test_another_tenants_index_is_not_there(client: TestClient, ports: Ports) -> None:
    theirs = ports.catalogue.indexes.get(LIVE)
    assert theirs is not None
    ports.catalogue.indexes.create(replace(theirs, index_id="idx_theirs", tenant="other"))
    assert code(client.get("/v1/indexes/idx_theirs")) == (404, "no_such_index")
    assert code(client.delete("/v1/indexes/idx_theirs")) == (404, "no_such_index")


def test_a_reembedding_is_an_index_beside_the_live_one_and_a_job(
    client: TestClient, model: RegisteredModel, queue: Any
) -> None:
    job = reembedded(client, model="shop@2", shards=2)
    assert (job.kind, job.state) == ("reembedding", "running")
    made = seen(client, job.progress["index"])
    assert (made.model, made.shards, made.takes_over) == (model.title, 2, None)
    assert BuildIndex(made.index_id) in queue.rung


def test_whoever_asks_again_gets_the_reembedding_that_is_under_way(
    client: TestClient, ports: Ports, model: RegisteredModel
) -> None:
    first = reembedded(client, model=model.title)
    assert reembedded(client, model="mdl_1").job_id == first.job_id
    assert len(ports.catalogue.indexes.all("default")) == 2


def test_a_reembedding_takes_up_an_index_whose_job_was_never_stored(
    client: TestClient, ports: Ports, model: RegisteredModel
) -> None:
    made = begun(client, model=model.title)
    index = ports.catalogue.indexes.get(made.index_id)
    assert index is not None
    assert reembedded(client, model=model.title).job_id == reembedding_id(index)


def test_there_is_nothing_to_reembed_for_the_model_that_is_live(client: TestClient) -> None:
    assert code(client.post("/v1/reembeddings", json={"model": "tiny"})) == (409, "same_model")


def test_a_cancelled_reembedding_gives_its_index_up(
    client: TestClient, model: RegisteredModel, queue: Any
) -> None:
    job = reembedded(client, model=model.title)
    queue.rung.clear()
    for _ in range(2):
        answer = client.delete(f"/v1/jobs/{job.job_id}")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert seen(client, job.progress["index"]).state == "retired"
    assert queue.rung == [BuildIndex(job.progress["index"])]
    assert reembedded(client, model=model.title).job_id != job.job_id


def test_a_reembedding_that_has_ended_is_not_cancelled(
    client: TestClient, ports: Ports, model: RegisteredModel
) -> None:
    job_id = reembedded(client, model=model.title).job_id
    job = ports.catalogue.office.job("default", job_id)
    assert job is not None
    ports.catalogue.office.put_job(replace(job, state="succeeded"))
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 409


def test_a_reembedding_whose_index_is_live_is_not_cancelled(
    client: TestClient, ports: Ports, model: RegisteredModel
) -> None:
    job = reembedded(client, model=model.title)
    ports.catalogue.indexes.move_alias("default", "canary", job.progress["index"])
    answer = client.delete(f"/v1/jobs/{job.job_id}")
    assert code(answer) == (409, "in_use")
    assert client.get(f"/v1/jobs/{job.job_id}").json()["state"] == "running"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/indexes"),
        ("GET", "/v1/indexes/idx_test"),
        ("POST", "/v1/indexes"),
        ("DELETE", "/v1/indexes/idx_test"),
        ("POST", "/v1/reembeddings"),
    ],
)
def test_a_search_key_does_not_reach_indexes(method: str, path: str, shopper: TestClient) -> None:
    answer = shopper.request(method, path, json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
