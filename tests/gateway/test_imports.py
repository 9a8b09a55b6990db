import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway.ports import Ports
from services.gateway.schemas.jobs import DeadLettersView, ImportView, JobView
from shared.jobs import Chunk, Counters, DeadLetter
from shared.tasks import EmbedImages, ImportChunk, PlanImport


@pytest.fixture
def source(ports: Ports) -> Path:
    path = ports.places.folders[0] / "shop.bson"
    path.write_bytes(bytes(1_000))
    return path


@pytest.fixture
def started(client: TestClient, source: Path) -> str:
    answer = client.post("/v1/imports", json={"format": "bson", "source": {"path": str(source)}})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['import_id']}"
    return str(answer.json()["import_id"])


def test_an_import_of_a_server_file_is_stored_and_rung_for(
    started: str, ports: Ports, queue: Any, source: Path
) -> None:
    stored = ports.catalogue.imports.get(started)
    assert stored is not None
    assert (stored.source, stored.size) == (f"file:{source}", 1_000)
    assert queue.rung == [PlanImport(started)]


def test_an_upload_can_be_imported_with_categories(client: TestClient, ports: Ports) -> None:
    data = client.post("/v1/uploads", content=b"\x05\x00\x00\x00\x00").json()
    table = "category_id,category_level1,category_level2,category_level3\n1000,HOME,LAMPS,\n"
    names = client.post("/v1/uploads", content=table.encode()).json()
    body = {
        "format": "bson",
        "source": {"upload_id": data["upload_id"]},
        "categories": {"upload_id": names["upload_id"]},
        "limit": 10,
    }
    answer = client.post("/v1/imports", json=body)
    stored = ports.catalogue.imports.get(answer.json()["import_id"])
    assert stored is not None
    assert stored.source == f"upload:{data['upload_id']}"
    assert stored.options.limit == 10
    assert json.loads(ports.blobs.read(str(stored.options.categories))) == {
        "1000": ["HOME", "LAMPS"]
    }


def test_what_is_asked_of_an_import_is_kept(client: TestClient, ports: Ports, source: Path) -> None:
    asked = {
        "mapping": {"id": "sku"},
        "sample": 0.5,
        "on_error": "stop",
        "dry_run": True,
        "max_deleted": 0.5,
    }
    body = {"format": "jsonl", "source": {"path": str(source)}, **asked}
    answer = client.post("/v1/imports", json=body)
    stored = ports.catalogue.imports.get(answer.json()["import_id"])
    assert stored is not None
    assert stored.format == "jsonl"
    assert {name: getattr(stored.options, name) for name in asked} == asked


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"mapping": {"colour": "x"}}, "/mapping/colour"),
        ({"mapping": {"id": 5}}, "/mapping/id"),
        ({"sample": 0}, "/sample"),
        ({"sample": 1.5}, "/sample"),
        ({"max_deleted": 2}, "/max_deleted"),
        ({"mode": "replace", "limit": 5}, ""),
        ({"label": "5"}, ""),
        ({"format": "xml"}, "/format"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(
    client: TestClient, source: Path, asked: dict[str, Any], pointer: str
) -> None:
    body = {"format": "bson", "source": {"path": str(source)}, **asked}
    answer = client.post("/v1/imports", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_folder_is_imported_from_a_server_path_only(
    client: TestClient, ports: Ports, source: Path
) -> None:
    upload_id = client.post("/v1/uploads", content=b"12345").json()["upload_id"]
    body = {"format": "folder", "source": {"upload_id": upload_id}}
    answer = client.post("/v1/imports", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_folder")
    body = {"format": "folder", "source": {"path": str(source.parent)}}
    answer = client.post("/v1/imports", json=body)
    stored = ports.catalogue.imports.get(answer.json()["import_id"])
    assert stored is not None
    assert stored.source == f"file:{source.parent}"


def test_only_allowed_folders_are_read(
    client: TestClient, ports: Ports, tmp_path: Path, source: Path
) -> None:
    secret = tmp_path / "secret.bson"
    secret.write_bytes(b"x")
    link = source.parent / "link.bson"
    link.symlink_to(secret)
    for path in (secret, link, source.parent / ".." / "secret.bson", source.parent, "/etc/shadow"):
        body = {"format": "bson", "source": {"path": str(path)}}
        answer = client.post("/v1/imports", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_such_file"), path
        assert answer.json()["errors"][0]["pointer"] == "/source/path"


def test_counters_balance_and_come_from_the_chunks(
    started: str, client: TestClient, ports: Ports
) -> None:
    imports = ports.catalogue.imports
    chunks = [Chunk(started, n, n * 500, 500, 64) for n in range(2)]
    imports.planned(started, chunks, scanned=1_000)
    imports.planned_wholly(started)
    imports.finish(started, 0, Counters(imported=50, unchanged=6, duplicate=4, failed=4))
    view = ImportView.model_validate(client.get(f"/v1/imports/{started}").json())
    assert (view.counters.read, view.records) == (64, 128)
    assert (view.chunks.done, view.chunks.waiting) == (1, 1)
    assert view.eta_seconds is not None
    job = JobView.model_validate(client.get(f"/v1/jobs/{started}").json())
    assert (job.kind, job.progress["read"]) == ("import", 64)


def test_an_import_is_paused_resumed_and_cancelled(
    started: str, client: TestClient, ports: Ports, queue: Any
) -> None:
    ports.catalogue.imports.planned(started, [Chunk(started, 0, 0, 500, 64)], scanned=500)
    assert client.post(f"/v1/imports/{started}:pause").json()["state"] == "paused"
    queue.rung.clear()
    assert client.post(f"/v1/imports/{started}:resume").json()["state"] == "running"
    assert queue.rung == [PlanImport(started), ImportChunk(started, 0)]
    cancelled = client.post(f"/v1/imports/{started}:cancel").json()
    assert cancelled["state"] == "cancelled"
    assert (cancelled["chunks"]["waiting"], cancelled["chunks"]["cancelled"]) == (0, 1)
    assert client.post(f"/v1/imports/{started}:resume").status_code == 409
    assert client.post("/v1/imports/imp_none:pause").status_code == 404


def test_the_same_idempotency_key_starts_one_import(client: TestClient, source: Path) -> None:
    body = {"format": "bson", "source": {"path": str(source)}}
    headers = {"Idempotency-Key": "one"}
    first = client.post("/v1/imports", json=body, headers=headers)
    again = client.post("/v1/imports", json=body, headers=headers)
    assert first.json()["import_id"] == again.json()["import_id"]
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1


def test_failures_of_an_import_are_listed_with_the_reason(
    started: str, client: TestClient, ports: Ports
) -> None:
    now = ports.catalogue.now()
    other = DeadLetter("record/other/1", "default", "record", "c", "d", now)
    ports.catalogue.dead.put([*(record_letter(started, n, now) for n in range(3)), other])
    url = f"/v1/imports/{started}/failures?limit=2"
    page = DeadLettersView.model_validate(client.get(url).json())
    rest = client.get(f"{url}&cursor={page.next_cursor}").json()["dead_letters"]
    assert [letter.offset for letter in page.dead_letters] == [0, 1]
    assert [letter["offset"] for letter in rest] == [2]


def test_a_dead_picture_is_replayed(
    client: TestClient, ports: Ports, queue: Any, workshop: Any, draw: Any
) -> None:
    torn = draw(1, side=256)[:-200]
    client.put("/v1/products/1", files=[("images", ("a.jpg", torn, "image/jpeg"))])
    workshop.settle()
    (sha256,) = ports.catalogue.products.get("default", ["1"])["1"].images
    key = f"image/{sha256}/fp-test"
    now = ports.catalogue.now()
    ports.catalogue.dead.put([DeadLetter(key, "default", "image", "undecodable_image", "x", now)])
    (letter,) = client.get("/v1/dead_letters").json()["dead_letters"]
    assert client.get(letter["thumbnail_url"]).status_code == 200
    queue.rung.clear()
    answer = client.post("/v1/dead_letters:replay", json={"keys": [key]})
    assert answer.json() == {"replayed": 1, "left": {}}
    assert queue.rung == [EmbedImages("fp-test", "default", (sha256,))]
    assert client.get("/v1/products/1/presence").json()["state"] == "pending"
    assert client.get("/v1/dead_letters").json()["dead_letters"] == []


def test_what_cannot_be_replayed_stays_and_says_why(client: TestClient, ports: Ports) -> None:
    ports.catalogue.dead.put([record_letter("imp", 1, ports.catalogue.now())])
    answer = client.post("/v1/dead_letters:replay", json={}).json()
    assert answer["replayed"] == 0
    assert "record/imp/1" in answer["left"]
    assert len(client.get("/v1/dead_letters").json()["dead_letters"]) == 1


def record_letter(import_id: str, offset: int, now: int) -> DeadLetter:
    key, source = f"record/{import_id}/{offset}", (import_id, offset)
    return DeadLetter(key, "default", "record", "torn", "Torn.", now, source=source)


def test_records_that_failed_are_read_again_with_their_chunk(
    started: str, client: TestClient, ports: Ports, queue: Any
) -> None:
    imports = ports.catalogue.imports
    imports.planned(started, [Chunk(started, n, n * 500, 500, 64) for n in range(3)], scanned=1_500)
    imports.planned_wholly(started)
    imports.finish(started, 0, Counters(imported=64))
    imports.finish(started, 1, Counters(imported=63, failed=1))
    imports.give_up(started, 2, Counters(failed=64))
    ports.catalogue.dead.put([record_letter(started, 730, ports.catalogue.now())])
    url = f"/v1/imports/{started}:retry_failed"
    while_it_runs = client.post(url).json()
    assert while_it_runs["replayed"] == 0
    assert "only one that has ended" in while_it_runs["left"][f"record/{started}/730"]
    imports.set_state(started, "partially_succeeded")
    queue.rung.clear()
    assert client.post(url).json() == {"replayed": 1, "left": {}}
    assert queue.rung == [PlanImport(started), ImportChunk(started, 1), ImportChunk(started, 2)]
    assert client.get(f"/v1/imports/{started}").json()["state"] == "running"
    assert client.get("/v1/dead_letters").json()["dead_letters"] == []


def test_with_nothing_failed_there_is_nothing_to_try_again(
    started: str, client: TestClient, ports: Ports
) -> None:
    ports.catalogue.imports.set_state(started, "succeeded")
    answer = client.post(f"/v1/imports/{started}:retry_failed")
    assert answer.status_code == 409
    assert "Nothing of this import has failed" in answer.json()["detail"]


def test_a_job_can_be_waited_for_and_watched(started: str, client: TestClient) -> None:
    waited = client.get(f"/v1/jobs/{started}?wait=100ms")
    assert waited.json()["state"] == "running"
    client.post(f"/v1/imports/{started}:cancel")
    events = client.get(f"/v1/jobs/{started}/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    assert events.text.startswith("event: cancelled\ndata: {")
    assert client.get("/v1/jobs/job_none/events").status_code == 404
