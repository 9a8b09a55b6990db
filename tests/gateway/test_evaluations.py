from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient

from services.gateway.ports import Ports
from shared.blobs import keys
from shared.evaluations import EVALUATION, newest
from shared.indexes import Index, IndexState
from shared.jobs import Job
from shared.spaces import Space, Spaces
from shared.tasks import Evaluate
from tests.gateway.conftest import INDEX, RecordingQueue

PATH = "/v1/evaluations"
TENANT = "default"
PAGE = b"<!doctype html><title>Exam</title>" + bytes(600_000)


def an_index(ports: Ports, index_id: str = "idx_new", state: IndexState = "ready") -> str:
    spaces = Spaces("fp-new", (Space("content", 4, "fp-new-content"),))
    made = Index(index_id, TENANT, "new", spaces, 1, ("segments",), (), state, 0)
    ports.catalogue.indexes.create(made)
    return index_id


def ended(ports: Ports, evaluation_id: str, **told: Any) -> None:
    """As the indexer leaves it."""
    job = ports.catalogue.office.job(TENANT, evaluation_id)
    assert job is not None
    blob = keys.report(TENANT, evaluation_id, "html")
    ports.blobs.put(blob, PAGE)
    progress = {**job.progress, "passed": True, "reasons": [], "report": blob, **told}
    ports.catalogue.office.put_job(replace(job, state="succeeded", progress=progress))


def test_an_exam_is_a_job_that_the_indexer_is_rung_for(
    client: TestClient, ports: Ports, queue: RecordingQueue
) -> None:
    answer = client.post(PATH, json={"index": an_index(ports)})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{told['evaluation_id']}"
    assert (told["index"], told["against"], told["state"]) == ("idx_new", INDEX, "queued")
    assert (told["passed"], told["report_url"]) == (None, None)
    assert queue.rung[-1] == Evaluate(TENANT, told["evaluation_id"])
    job = client.get(answer.headers["location"]).json()
    assert (job["kind"], job["progress"]["index"]) == (EVALUATION, "idx_new")


def test_the_verdict_and_the_report_are_read_at_its_end(client: TestClient, ports: Ports) -> None:
    told = client.post(PATH, json={"index": an_index(ports)}).json()
    path = f"{PATH}/{told['evaluation_id']}"
    assert client.get(f"{path}/report").json()["code"] == "no_report"
    ended(ports, told["evaluation_id"], passed=False, reasons=["It is worse."], notes=["Few."])
    seen = client.get(path).json()
    assert (seen["passed"], seen["reasons"], seen["notes"]) == (False, ["It is worse."], ["Few."])
    report = client.get(seen["report_url"])
    assert report.content == PAGE
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in report.headers["content-security-policy"]
    found = newest(ports.catalogue.office.jobs(TENANT), "idx_new", INDEX)
    assert found is not None
    assert found.passed is False


def test_an_alias_is_settled_when_the_exam_is_asked_for(client: TestClient, ports: Ports) -> None:
    ports.catalogue.indexes.move_alias(TENANT, "candidate", an_index(ports))
    told = client.post(PATH, json={"index": "candidate", "against": "live"}).json()
    assert (told["index"], told["against"]) == ("idx_new", INDEX)


def test_an_index_against_itself_or_nothing_is_taken_alone(client: TestClient) -> None:
    for body in ({"index": "live"}, {"index": INDEX, "against": None}):
        assert client.post(PATH, json=body).json()["against"] is None


def test_one_idempotency_key_is_one_exam(
    client: TestClient, ports: Ports, queue: RecordingQueue
) -> None:
    an_index(ports)
    headers = {"Idempotency-Key": "once"}
    ids = {
        client.post(PATH, json={"index": "idx_new"}, headers=headers).json()["evaluation_id"]
        for _ in range(2)
    }
    assert len(ids) == 1
    assert len([task for task in queue.rung if isinstance(task, Evaluate)]) == 1


def test_what_is_not_there_or_not_whole_is_refused(client: TestClient, ports: Ports) -> None:
    unknown = client.post(PATH, json={"index": "idx_none"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_index")
    an_index(ports, "idx_building", "building")
    building = client.post(PATH, json={"index": "idx_building"})
    assert (building.status_code, building.json()["code"]) == (409, "index_not_ready")
    against = client.post(PATH, json={"index": "live", "against": "idx_building"})
    assert against.json()["errors"][0]["pointer"] == "/against"
    assert client.post(PATH, json={"indexes": "live"}).status_code == 422
    assert ports.catalogue.office.jobs(TENANT) == []


def test_other_jobs_and_other_tenants_exams_are_not_found(client: TestClient, ports: Ports) -> None:
    office = ports.catalogue.office
    office.put_job(Job("job_other", TENANT, "import", "running", 0, 0))
    office.put_job(Job("job_theirs", "somebody", EVALUATION, "succeeded", 0, 0, {"index": "x"}))
    for evaluation_id in ("job_none", "job_other", "job_theirs"):
        for path in (f"{PATH}/{evaluation_id}", f"{PATH}/{evaluation_id}/report"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_evaluation")


def test_a_search_key_examines_nothing(shopper: TestClient) -> None:
    assert shopper.post(PATH, json={"index": "live"}).status_code == 403
    assert shopper.get(f"{PATH}/job_1/report").status_code == 403
