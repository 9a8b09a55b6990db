"""Which index an alias is on: the guard before `live` moves, the history, the way back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway import aliases
from services.gateway.ports import Ports
from shared.errors import Unavailable
from shared.indexes import IndexState
from shared.jobs import Job
from shared.seams.embedder import Embedder
from shared.spaces import Space, Spaces
from tests.gateway.conftest import TinyEmbedder

LIVE = "idx_test"
OTHER = Spaces("fp-other", (Space("content", 8, "fp-other-content"),))
Made = Callable[..., str]


class Started(TinyEmbedder):
    """As if it were the model of another index."""

    spaces = OTHER


class Known:
    """Models by fingerprint, which of them were asked for, and how often they are not there yet."""

    def __init__(self) -> None:
        self.models = {OTHER.fingerprint: Started()}
        self.asked: list[str] = []
        self.away = 0

    def of(self, fingerprint: str) -> Embedder | None:
        self.asked.append(fingerprint)
        if len(self.asked) <= self.away:
            raise Unavailable("The model is being started.")
        return self.models.get(fingerprint)


@pytest.fixture
def models() -> Known:
    return Known()


@pytest.fixture
def ports(ports: Ports, models: Known) -> Ports:
    """With embedders for all models."""
    return replace(ports, embedders=models)


@pytest.fixture
def candidate(ports: Ports) -> Made:
    """An index of another model, complete unless said."""

    def made(
        index_id: str = "idx_new", *, spaces: Spaces = OTHER, state: IndexState = "ready"
    ) -> str:
        live = ports.catalogue.indexes.get(LIVE)
        assert live is not None
        index = replace(live, index_id=index_id, spaces=spaces, state=state)
        return ports.catalogue.indexes.create(index).index_id

    return made


@pytest.fixture
def exam(ports: Ports) -> Callable[..., None]:
    """An exam of `idx_new` against the index that is live, ended."""
    ended = 0

    def taken(*reasons: str, passed: bool | None, against: str = LIVE) -> None:
        nonlocal ended
        ended += 1
        told = {"index": "idx_new", "against": against, "passed": passed, "reasons": reasons}
        job = Job(f"evl_{ended}", "default", "evaluation", "succeeded", ended, ended, told)
        ports.catalogue.office.put_job(job)

    return taken


def move(client: TestClient, index_id: str, *, version: str = '"1"', **more: Any) -> Any:
    headers = {"If-Match": version}
    return client.put("/v1/aliases/live", json={"index_id": index_id, **more}, headers=headers)


def live(client: TestClient) -> str:
    return str(client.get("/v1/aliases/live").json()["index_id"])


def refused(answer: Any, code: str, status: int = 409) -> str:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return str(answer.json()["detail"])


def test_a_candidate_that_stood_its_exam_becomes_live(
    client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate()
    exam(passed=True)
    moved = move(client, "idx_new")
    assert (moved.status_code, moved.headers["etag"]) == (200, '"2"')
    (latest, first) = moved.json()["moves"]
    assert (latest["index_id"], latest["ground"], latest["forced"]) == ("idx_new", "passed", False)
    assert latest["by"].startswith("key_")
    assert (first["index_id"], moved.json()["before"]) == (LIVE, LIVE)
    assert live(client) == "idx_new"


def test_its_model_is_started_before_anybody_searches_with_it(
    client: TestClient, candidate: Made, exam: Any, models: Known
) -> None:
    candidate()
    exam(passed=True)
    move(client, "idx_new")
    assert models.asked == ["fp-other"]


def test_a_model_that_takes_its_time_to_start_is_waited_for(
    client: TestClient, candidate: Made, exam: Any, models: Known
) -> None:
    candidate()
    exam(passed=True)
    models.away = 2
    assert move(client, "idx_new").status_code == 200
    assert len(models.asked) == 3


def test_nothing_moves_to_a_model_that_does_not_answer_but_by_force_or_backwards(
    client: TestClient,
    candidate: Made,
    exam: Any,
    models: Known,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aliases, "PATIENCE_S", 0.1)
    candidate()
    exam(passed=True)
    models.away = 1_000_000
    detail = refused(move(client, "idx_new"), "unavailable", 503)
    assert "nothing was moved" in detail
    assert "being started" in detail
    assert live(client) == LIVE
    assert move(client, "idx_new", force=True, reason="Now.").status_code == 200
    candidate("idx_third")
    assert move(client, "idx_third", version='"2"').status_code == 200, "of the same model"
    assert client.post("/v1/aliases/live:rollback").status_code == 200
    assert live(client) == "idx_new"


def test_an_index_whose_model_nobody_has_becomes_live_by_force_alone(
    client: TestClient, candidate: Made, exam: Any, models: Known
) -> None:
    candidate()
    exam(passed=True)
    models.models.clear()
    refused(move(client, "idx_new"), "other_model")
    assert move(client, "idx_new", force=True, reason="Products only.").status_code == 200


def test_without_an_exam_nothing_moves_and_the_way_on_is_told(
    client: TestClient, candidate: Made
) -> None:
    candidate()
    detail = refused(move(client, "idx_new"), "not_evaluated")
    assert "POST /v1/evaluations" in detail
    assert "reason" in detail
    assert live(client) == LIVE


def test_a_candidate_that_failed_is_refused_with_the_reasons(
    client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate()
    exam("Precision in dresses fell by 9 points.", "Duplicates are found less.", passed=False)
    answer = move(client, "idx_new")
    assert "Precision in dresses" in refused(answer, "exam_failed")
    assert [flaw["detail"] for flaw in answer.json()["errors"]] == [
        "Precision in dresses fell by 9 points.",
        "Duplicates are found less.",
    ]
    assert live(client) == LIVE


def test_an_exam_that_could_not_judge_is_no_ground(
    client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate()
    exam("No product has two photos.", passed=None)
    assert "No product has two photos." in refused(move(client, "idx_new"), "not_evaluated")


def test_the_newest_exam_counts(client: TestClient, candidate: Made, exam: Any) -> None:
    candidate()
    exam(passed=True)
    exam("Worse since.", passed=False)
    refused(move(client, "idx_new"), "exam_failed")


def test_an_exam_against_what_was_live_before_is_stale(
    client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate()
    exam(passed=True, against="idx_older")
    refused(move(client, "idx_new"), "not_evaluated")


def test_whoever_forces_it_says_why_and_is_remembered(
    client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate()
    exam("Worse.", passed=False)
    for reason in (None, " "):
        refused(move(client, "idx_new", force=True, reason=reason), "invalid", 422)
    moved = move(client, "idx_new", force=True, reason="The sale begins at noon.")
    assert moved.status_code == 200, moved.text
    latest = moved.json()["moves"][0]
    assert (latest["ground"], latest["forced"]) == ("forced", True)
    assert latest["reason"] == "The sale begins at noon."


@pytest.mark.parametrize("state", ["building", "retired"])
def test_an_index_that_is_not_whole_is_refused_force_or_not(
    state: IndexState, client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate(state=state)
    exam(passed=True)
    refused(move(client, "idx_new"), "index_not_ready")
    refused(move(client, "idx_new", force=True, reason="Now."), "index_not_ready")
    assert live(client) == LIVE


def test_the_same_model_in_another_shape_needs_no_exam(
    client: TestClient, candidate: Made, ports: Ports
) -> None:
    live_index = ports.catalogue.indexes.get(LIVE)
    assert live_index is not None
    candidate(spaces=live_index.spaces)
    moved = move(client, "idx_new")
    assert moved.json()["moves"][0]["ground"] == "same_model"


def test_an_alias_moves_only_over_the_version_that_was_seen(
    client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate()
    exam(passed=True)
    refused(move(client, "idx_new", version='"2"'), "stale_version", 412)
    unseen = client.put("/v1/aliases/live", json={"index_id": "idx_new"})
    refused(unseen, "precondition_required", 428)
    assert move(client, "idx_new", version="*").status_code == 200


def test_moving_an_alias_to_where_it_is_does_nothing(client: TestClient) -> None:
    moved = move(client, LIVE)
    assert (moved.status_code, moved.headers["etag"]) == (200, '"1"')


def test_an_alias_of_ones_own_needs_no_exam(client: TestClient, candidate: Made) -> None:
    candidate()
    path, body = "/v1/aliases/canary", {"index_id": "idx_new"}
    refused(client.get(path), "no_such_alias", 404)
    refused(client.put(path, json=body, headers={"If-Match": "*"}), "stale_version", 412)
    made = client.put(path, json=body, headers={"If-Match": '"0"'})
    assert (made.status_code, made.json()["moves"][0]["ground"]) == (200, "chosen")
    names = [alias["name"] for alias in client.get("/v1/aliases").json()["aliases"]]
    assert names == ["canary", "live"]


@pytest.mark.parametrize("name", ["idx_new", "Live", "-x", "a" * 65])
def test_an_alias_has_a_name_that_is_no_id(name: str, client: TestClient) -> None:
    answer = client.put(f"/v1/aliases/{name}", json={"index_id": LIVE}, headers={"If-Match": '"0"'})
    assert answer.status_code == 422


def test_an_index_that_is_not_there_takes_no_alias(client: TestClient) -> None:
    refused(move(client, "idx_gone"), "no_such_index", 404)


def test_a_rollback_is_one_call_and_needs_no_exam(
    client: TestClient, candidate: Made, exam: Any
) -> None:
    candidate()
    exam(passed=True)
    move(client, "idx_new")
    back = client.post("/v1/aliases/live:rollback")
    assert (back.status_code, back.headers["etag"]) == (200, '"3"')
    assert (live(client), back.json()["before"]) == (LIVE, None)
    assert back.json()["moves"][0]["ground"] == "rolled_back"
    refused(client.post("/v1/aliases/live:rollback"), "nothing_before")


def test_a_rollback_that_is_sent_again_goes_back_once(
    client: TestClient, candidate: Made, exam: Any, ports: Ports
) -> None:
    candidate()
    ports.catalogue.indexes.move_alias("default", "live", "idx_new")
    third = candidate("idx_third", spaces=OTHER)
    ports.catalogue.indexes.move_alias("default", "live", third)
    for _ in range(2):
        headers = {"Idempotency-Key": "back", "If-Match": '"3"'}
        reason = {"reason": "Odd neighbours."}
        back = client.post("/v1/aliases/live:rollback", json=reason, headers=headers)
        assert back.json()["moves"][0]["reason"] == "Odd neighbours."
    assert live(client) == "idx_new"
    seen = client.post("/v1/aliases/live:rollback", headers={"If-Match": '"3"'})
    refused(seen, "stale_version", 412)


def test_there_is_no_way_back_to_what_was_dropped(
    client: TestClient, candidate: Made, ports: Ports
) -> None:
    candidate()
    ports.catalogue.indexes.move_alias("default", "live", "idx_new")
    ports.catalogue.indexes.drop(LIVE)
    assert "dropped" in refused(client.post("/v1/aliases/live:rollback"), "nothing_before")
    assert live(client) == "idx_new"


def test_an_alias_does_not_stay_on_what_is_dropped_at_that_moment(
    client: TestClient, candidate: Made, exam: Any, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request gave the index up after this one had looked at it."""
    candidate()
    exam(passed=True)
    indexes = ports.catalogue.indexes
    really = indexes.move_alias

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        indexes.set_state("idx_new", "retired")
        return really(*args, **kwargs)

    monkeypatch.setattr(indexes, "move_alias", interrupted)
    refused(move(client, "idx_new"), "index_not_ready")
    assert live(client) == LIVE


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/aliases"),
        ("GET", "/v1/aliases/live"),
        ("PUT", "/v1/aliases/live"),
        ("POST", "/v1/aliases/live:rollback"),
    ],
)
def test_a_search_key_does_not_reach_aliases(method: str, path: str, shopper: TestClient) -> None:
    answer = shopper.request(method, path, json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
