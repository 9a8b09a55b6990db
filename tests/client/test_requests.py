import json
from typing import Any

import httpx
import pytest

from lookalike.client import calls, importing
from lookalike.client.answers import Upload
from lookalike.client.exchange import Call, Flow


def first(flow: Flow[Any]) -> Call:
    """What a flow asks first."""
    step = flow.send(None)
    assert isinstance(step, Call)
    return step


def body_of(call: Call) -> Any:
    assert isinstance(call.content, bytes)
    return json.loads(call.content)


def test_a_crop_is_named_side_by_side() -> None:
    asked = body_of(first(calls.search(b"abc", None, (0.1, 0.2, 0.5, 0.6), {"limit": 3})))
    assert asked == {
        "query": {
            "image": {
                "base64": "YWJj",
                "crop": {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.6},
            }
        },
        "limit": 3,
    }


def test_products_are_weighed() -> None:
    alone = body_of(first(calls.search(None, "1", None, {})))
    assert alone["query"]["products"] == [{"id": "1", "weight": 1.0}]
    mixed = body_of(first(calls.search(None, {"1": 1.0, "2": -0.4}, None, {})))
    assert [part["weight"] for part in mixed["query"]["products"]] == [1.0, -0.4]


def test_a_blend_in_a_url_is_a_weight_a_space() -> None:
    asked = first(calls.similar("1", {"blend": {"style": 0.4}, "limit": 2}))
    assert dict(asked.params) == {"style": 0.4, "limit": 2}


def test_nothing_is_waited_for_unless_asked() -> None:
    assert not first(calls.presence("1", None)).params
    assert first(calls.presence("1", 0.5)).params == {"wait": "searchable", "within": "0.500s"}


def test_an_import_says_what_was_said_and_nothing_more() -> None:
    flow = importing.import_catalogue(
        "s3://feeds/all.csv",
        "csv",
        {"categories": "/data/names.csv", "limit": None, "dry_run": True, "mapping": {"id": "ean"}},
        None,
    )
    assert first(flow).path == "/v1/jobs"
    asked = flow.send(httpx.Response(200, json={"jobs": []}))
    assert isinstance(asked, Call)
    assert body_of(asked) == {
        "format": "csv",
        "source": {"path": "s3://feeds/all.csv"},
        "categories": {"path": "/data/names.csv"},
        "dry_run": True,
        "mapping": {"id": "ean"},
    }


def test_what_was_uploaded_is_imported_as_it_is() -> None:
    flow = importing.import_catalogue(Upload("upl_1", 5, "text/csv"), "csv", {}, None)
    first(flow)
    asked = flow.send(httpx.Response(200, json={"jobs": []}))
    assert isinstance(asked, Call)
    assert body_of(asked) == {"format": "csv", "source": {"upload_id": "upl_1"}}


def test_an_answer_of_pictures_is_its_bytes() -> None:
    flow = calls.picture("/v1/images/9f")
    flow.send(None)
    with pytest.raises(StopIteration) as ended:
        flow.send(httpx.Response(200, content=b"jpeg"))
    assert ended.value.value == b"jpeg"
