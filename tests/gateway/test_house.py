import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from services.gateway.app import create_app, description
from services.gateway.openapi import text_of
from services.gateway.ports import Ports
from shared.errors import Unavailable
from shared.runtime.logs import current

Put = Callable[..., Any]
SNAPSHOT = Path(__file__).parents[2] / "docs" / "api.openapi.json"


def test_the_gateway_is_light() -> None:
    code = (
        "import sys, services.gateway.app\n"
        "print([m for m in ('numpy','faiss','annoy','tensorflow','cv2','pyarrow')"
        " if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_api_is_the_one_that_was_published() -> None:
    assert text_of(description()) == SNAPSHOT.read_text(), (
        "run `python -m services.gateway.openapi` and look at what changed"
    )


def test_every_schema_is_described_and_every_body_has_an_example(client: TestClient) -> None:
    served = client.get("/v1/openapi.json").json()
    assert served["openapi"].startswith("3.1")
    text = json.dumps(served)
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(served["components"]["schemas"])
    assert all(
        "example" in served["components"]["schemas"][n] for n in ("ProductBody", "SearchBody")
    )


def test_an_unknown_path_is_a_problem(client: TestClient) -> None:
    answer = client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_path")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == "/v1/nothing"


def test_an_unknown_method_is_a_problem_that_names_the_known(client: TestClient) -> None:
    answer = client.post("/v1/stats")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_a_request_id_is_taken_over_when_it_is_one(client: TestClient) -> None:
    assert (
        client.get("/livez", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
    )
    made = client.get("/v1/nothing", headers={"X-Request-Id": "a b\t<script>"})
    assert made.headers["x-request-id"].startswith("req_")
    assert made.json()["request_id"] == made.headers["x-request-id"]


def test_what_a_request_does_is_logged_under_its_id(
    ports: Ports, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []

    def counted(*_: object) -> int:
        heard.append(current("request_id"))
        return 0

    monkeypatch.setattr(ports.catalogue.products, "count", counted)
    client.get("/v1/stats", headers={"X-Request-Id": "abc-2"})
    assert heard == ["abc-2"]


def test_every_answer_has_the_headers_of_safety(client: TestClient) -> None:
    for path in ("/livez", "/v1/nothing", "/v1/stats"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]


def test_a_fault_of_ours_is_a_500_without_a_trace(
    ports: Ports, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(ports.catalogue.products, "count", broken)
    answer = client.get("/v1/stats")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_store_that_is_down_is_a_503_to_be_tried_again(
    ports: Ports, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise Unavailable("The catalogue does not answer.")

    monkeypatch.setattr(ports.catalogue.products, "get", down)
    answer = client.get("/v1/products/1")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_readiness_names_what_fails(
    ports: Ports, stranger: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stranger.get("/livez").json() == {"status": "alive"}
    assert stranger.get("/readyz").json() == {"status": "ready"}

    def down(*_: object) -> None:
        raise Unavailable("no disk")

    monkeypatch.setattr(ports.blobs, "size", down)
    answer = stranger.get("/readyz")
    assert answer.status_code == 503
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/blobs"]


def test_categories_are_a_tree_with_counts(put: Put, client: TestClient) -> None:
    put("1", category=["Home", "Lighting"])
    put("2", category=["Home", "Garden"])
    put("3", category=["Home"])
    put("4")
    (home,) = client.get("/v1/categories").json()["categories"]
    assert (home["name"], home["products"]) == ("Home", 3)
    assert [child["path"] for child in home["children"]] == [
        ["Home", "Garden"],
        ["Home", "Lighting"],
    ]


def test_backends_say_what_is_missing_and_how_far_behind(put: Put, client: TestClient) -> None:
    put("1")
    backends = {b["name"]: b for b in client.get("/v1/backends").json()["backends"]}
    assert (backends["exact"]["configured"], backends["exact"]["pending"]) == (True, 1)
    assert backends["elasticsearch"]["configured"] is False
    assert backends["elasticsearch"]["reason"]


def test_totals(put: Put, client: TestClient, workshop: Any) -> None:
    put("1")
    stats = client.get("/v1/stats").json()
    assert (stats["products"], stats["images"]) == (1, 1)
    assert stats["images_waiting"] == {"fp-test": 1}
    assert stats["pending"] == {"idx_test/segments": 1}
    workshop.settle()
    assert client.get("/v1/stats").json()["images_waiting"] == {"fp-test": 0}


def test_the_page_gets_a_nonce_and_the_publishable_key(ports: Ports, tmp_path: Path) -> None:
    import dataclasses

    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text('<script nonce="{{nonce}}">k="{{search_key}}"</script>')
    (folder / "app.js").write_text("1")
    chosen = ports.settings.model_copy(update={"page_folder": folder})
    with TestClient(create_app(dataclasses.replace(ports, settings=chosen))) as visitor:
        first, second = visitor.get("/"), visitor.get("/")
        nonce = first.text.partition('nonce="')[2].partition('"')[0]
        assert f"'nonce-{nonce}'" in first.headers["content-security-policy"]
        assert "lk_search_" in first.text
        assert nonce not in second.text
        assert visitor.get("/page/app.js").text == "1"
        assert visitor.get("/page/../catalogue.sqlite").status_code == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "title",
        "brand",
        "category",
        "price",
        "currency",
        "in_stock",
        "tags",
        "url",
        "custom",
        "images",
    ]
)
SOURCES = st.sampled_from(["upload_id", "base64", "sha256", "url"])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=6)
    | JSON
    | st.fixed_dictionaries(
        {"images": st.lists(st.dictionaries(SOURCES, JSON, max_size=2), max_size=3)}
    ),
    method=st.sampled_from(["PUT", "PATCH"]),
)
def test_no_json_makes_a_product_write_break(body: Any, method: str, client: TestClient) -> None:
    content = json.dumps(body).encode()
    answer = client.request(
        method, "/v1/products/1", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code < 500, answer.text


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=200), kind=st.sampled_from(["json", "x-www-form-urlencoded"]))
def test_no_bytes_make_a_search_break(content: bytes, kind: str, client: TestClient) -> None:
    for path in ("/v1/search", "/v1/search/image", "/v1/products:batch"):
        answer = client.post(path, content=content, headers={"Content-Type": f"application/{kind}"})
        assert answer.status_code < 500, answer.text


def test_a_broken_form_is_malformed(client: TestClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for content in (b"--y\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"):
        answer = client.put("/v1/products/1", content=content, headers=headers)
        assert answer.status_code in (400, 422)


def test_every_problem_of_the_gateway_has_its_heading() -> None:
    import re

    root = Path(__file__).parents[2]
    documented = set(
        re.findall(r"^### (\w+)$", (root / "docs/problems.md").read_text(), re.MULTILINE)
    )
    sources = [*(root / "services/gateway").rglob("*.py"), root / "shared/errors.py"]
    code = re.compile(r'\bcode(?:: ClassVar\[str\])? ?= ?"(\w+)"')
    raised = {name for path in sources for name in code.findall(path.read_text())}
    assert raised - {"image_gone"} <= documented
