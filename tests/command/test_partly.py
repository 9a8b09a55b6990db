"""Answers that a healthy server never gives, from one that is not."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lookalike.command.sheet import Tile, page
from tests.command.conftest import Run

_META = {
    "backend": "exact",
    "plan": "scan",
    "rows_seen": 0,
    "index": "idx_1",
    "generation": 1,
    "as_of": "2026-03-01T12:00:00Z",
    "partial": True,
    "shards": {"ok": 1, "failed": [{"shard": 1, "reason": "down"}]},
    "timings_ms": {"total": 1.0},
}
_ANSWERS: dict[str, Any] = {
    "/v1/search": {
        "search_id": "sea_1",
        "hits": [],
        "facets": [],
        "next_cursor": None,
        "meta": _META,
    },
    "/v1/keys": {
        "key_id": "key_1",
        "kind": "search",
        "label": "",
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": None,
        "origins": [],
        "revoked": False,
        "key": None,
    },
}


class _Ailing(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(_ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        """Silence."""


@pytest.fixture
def ailing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ailing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_search_that_lacks_a_part_is_partly_done(alone: Run, ailing: str) -> None:
    told = alone("search", "--product", "1", "--server", ailing, "--json")
    assert told.code == 3
    assert json.loads(told.out)["meta"]["partial"]
    assert "did not answer" in told.err


def test_a_key_lost_on_its_way_is_told_with_what_to_do(alone: Run, ailing: str) -> None:
    told = alone("key", "create", "search", "--server", ailing)
    assert told.code == 1
    assert "revoke key_1" in told.err


def test_titles_on_a_sheet_are_text_and_nothing_else() -> None:
    sheet = page([Tile(b"\xff\xd8", "<script>x</script>", 'a "note" & more')], None)
    assert "<script>" not in sheet
    assert "a &quot;note&quot; &amp; more" in sheet
    assert 'src="data:image/jpeg;base64,/9g="' in sheet
