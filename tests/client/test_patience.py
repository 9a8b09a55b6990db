import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from lookalike import Lookalike
from lookalike.client import (
    Conflict,
    Forbidden,
    NotFound,
    Refused,
    TooMany,
    Unavailable,
    Unreachable,
    Unreadable,
)
from lookalike.client.exchange import MAX_PAUSE_S

UPLOADED = {"upload_id": "upl_1", "sha256": "9f", "size": 3, "media_type": "image/jpeg"}


class Playing:
    """A server that gives these answers in turn, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.bodies.append(request.read())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, retries: int = 4) -> Lookalike:
        return Lookalike(
            "http://shop.test",
            key="lk_admin_1",
            retries=retries,
            transport=httpx.MockTransport(self),
        )


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept."""
    slept: list[float] = []
    monkeypatch.setattr("lookalike.client.synchronous.time.sleep", slept.append)
    return slept


def busy(status: int = 503, *, after: str | None = None) -> httpx.Response:
    headers = {} if after is None else {"Retry-After": after}
    return httpx.Response(status, headers=headers, json={"code": "busy", "detail": "Full."})


def ready() -> httpx.Response:
    return httpx.Response(200, json={"status": "ready"})


@pytest.mark.parametrize("status", [429, 503])
def test_a_full_server_is_asked_again_when_it_says_so(status: int, pauses: list[float]) -> None:
    playing = Playing(busy(status, after="3"), ready())
    assert playing.client().ready().status == "ready"
    assert pauses == [3.0]


def test_retry_after_may_be_a_date_and_is_bounded(pauses: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    playing = Playing(
        busy(after=soon),
        busy(after="86400"),
        busy(after="whenever"),
        ready(),
    )
    playing.client().ready()
    assert 6 < pauses[0] <= 9
    assert pauses[1] == MAX_PAUSE_S
    assert pauses[2] <= 1


def test_pauses_grow_and_end_with_the_last_problem(pauses: list[float]) -> None:
    playing = Playing(*(busy() for _ in range(5)))
    with pytest.raises(Unavailable, match="Full") as caught:
        playing.client().ready()
    assert caught.value.problem.code == "busy"
    assert len(playing.asked) == 5
    assert len(pauses) == 4
    assert all(
        low / 2 <= slept <= low for slept, low in zip(pauses, (0.25, 0.5, 1, 2), strict=True)
    )


def test_without_retries_the_first_answer_counts(pauses: list[float]) -> None:
    with pytest.raises(TooMany):
        Playing(busy(429)).client(retries=0).ready()
    assert pauses == []


def test_a_lost_connection_is_tried_again_with_the_same_idempotency_key(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.bson"
    file.write_bytes(b"abc")
    playing = Playing(
        httpx.ReadError("lost"), httpx.ConnectError("refused"), httpx.Response(201, json=UPLOADED)
    )
    told: list[tuple[int, int]] = []
    playing.client().upload(file, progress=lambda *sent: told.append(sent))
    assert len({request.headers["Idempotency-Key"] for request in playing.asked}) == 1
    assert playing.bodies == [b"abc"] * 3
    assert {request.headers["Content-Length"] for request in playing.asked} == {"3"}
    assert told[-1] == (3, 3)


def test_two_calls_have_two_idempotency_keys() -> None:
    playing = Playing(httpx.Response(201, json=UPLOADED), httpx.Response(201, json=UPLOADED))
    client = playing.client()
    client.upload(b"abc")
    client.upload(b"abc")
    first, second = (request.headers["Idempotency-Key"] for request in playing.asked)
    assert first != second


def test_every_creating_post_has_an_idempotency_key(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.bson"
    file.write_bytes(b"abc")
    stored = [httpx.Response(201, json=UPLOADED) for _ in range(2)]
    playing = Playing(httpx.Response(200, json={"jobs": []}), *stored, busy(500))
    with pytest.raises(Refused):
        playing.client().import_bson(file, categories=file, limit=5)
    posts = [request for request in playing.asked if request.method == "POST"]
    assert [request.url.path for request in posts] == [
        "/v1/uploads",
        "/v1/uploads",
        "/v1/imports",
    ]
    assert len({request.headers["Idempotency-Key"] for request in posts}) == 3
    assert json.loads(playing.bodies[-1])["limit"] == 5


def test_a_key_that_may_not_import_is_told_before_the_upload(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.bson"
    file.write_bytes(b"abc")
    playing = Playing(httpx.Response(403, json={"code": "forbidden", "detail": "Only admins."}))
    with pytest.raises(Forbidden, match="Only admins"):
        playing.client().import_bson(file)
    assert playing.bodies == [b""]


def test_nobody_there_is_told_after_the_last_try() -> None:
    playing = Playing(*(httpx.ConnectError("refused") for _ in range(3)))
    with pytest.raises(Unreachable, match="GET /readyz"):
        playing.client(retries=2).ready()


def test_a_first_try_that_is_still_worked_on_is_waited_for() -> None:
    running = httpx.Response(409, json={"code": "still_running", "detail": "Wait."})
    playing = Playing(httpx.ReadError("lost"), running, httpx.Response(201, json=UPLOADED))
    assert playing.client().upload(b"abc").upload_id == "upl_1"


def test_another_conflict_is_told_at_once() -> None:
    playing = Playing(httpx.Response(409, json={"code": "conflict", "detail": "It is over."}))
    with pytest.raises(Conflict, match="It is over"):
        playing.client().pause_import("imp_1")


def test_a_deletion_whose_answer_was_lost_is_done_and_one_of_nothing_is_not() -> None:
    gone = httpx.Response(404, json={"code": "not_found", "detail": "No such product."})
    Playing(httpx.ReadError("lost"), gone).client().delete("1")
    with pytest.raises(NotFound):
        Playing(gone).client().delete("1")


def test_a_proxy_that_speaks_html_is_told_by_its_status() -> None:
    playing = Playing(httpx.Response(502, html="<h1>Bad gateway</h1>"))
    with pytest.raises(Unavailable, match="502") as caught:
        playing.client().ready()
    assert caught.value.problem.code == "http_502"


def test_the_key_goes_to_no_other_server() -> None:
    playing = Playing(httpx.Response(200, content=b"x"), httpx.Response(200, content=b"y"))
    client = playing.client()
    client.picture("https://cdn.example/9f.jpg")
    client.picture("/v1/images/9f?size=thumb&signature=s")
    away, home = playing.asked
    assert "Authorization" not in away.headers
    assert home.headers["Authorization"] == "Bearer lk_admin_1"
    assert dict(home.url.params) == {"size": "thumb", "signature": "s"}


def test_what_a_later_server_says_beside_is_no_harm() -> None:
    playing = Playing(httpx.Response(200, json={"status": "ready", "mood": "fine"}))
    assert playing.client().ready().status == "ready"


def test_waiting_gives_up_in_time() -> None:
    job: dict[str, Any] = {
        "job_id": "job_1",
        "kind": "import",
        "state": "running",
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00Z",
        "progress": {},
        "detail": None,
    }
    playing = Playing(*(httpx.Response(200, json=job) for _ in range(3)))
    with pytest.raises(TimeoutError, match="job_1 is still running"):
        playing.client().wait("job_1", timeout_s=0)


@pytest.mark.parametrize("answer", ["<h1>Welcome</h1>", "[]", "{}", "null"])
def test_another_server_at_this_address_is_told(answer: str) -> None:
    playing = Playing(httpx.Response(200, text=answer))
    with pytest.raises(Unreadable, match="right address"):
        playing.client().ready()


def test_a_key_copied_badly_is_told() -> None:
    with pytest.raises(ValueError, match="copied"):
        Lookalike("http://shop.test", key="lk_admin_…")


def test_an_address_without_a_scheme_is_refused_kindly() -> None:
    with pytest.raises(ValueError, match="no address of a server"):
        Lookalike("shop.example:8080")
