"""Feeds and pictures that lie in S3, brought in by a house that may read one place of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.blobs.stores import opened
from shared.ids import new_id
from tests.imports.feeds import feed
from tests.imports.pictures import jpeg
from tests.imports.shop import Shop, shop_in


@pytest.fixture
def bucket(s3_environment: str) -> tuple[str, Any]:
    """Its name, and the files in it."""
    name = new_id("feeds").replace("_", "-").lower()
    files, _ = opened(f"s3://{name}")
    files.mkdir(name)
    return name, files


@pytest.fixture
def shop(
    bucket: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    monkeypatch.setenv("LOOKALIKE_IMPORT_BUCKETS", f"s3://{bucket[0]}/daily")
    with shop_in(tmp_path) as shop:
        yield shop


def test_a_feed_in_s3_is_read_by_ranges_and_its_pictures_beside_it(
    shop: Shop, bucket: tuple[str, Any]
) -> None:
    name, files = bucket
    files.pipe_file(f"{name}/daily/shop.bson", feed(range(200), 1))
    done = shop.imported(f"s3://{name}/daily/shop.bson")
    assert (done["state"], done["counters"]["imported"]) == ("succeeded", 200)
    picture = jpeg(900)
    files.pipe_file(f"{name}/daily/photos/one.jpg", picture)
    lines = [
        {"id": "there", "images": ["photos/one.jpg"]},
        {"id": "missing", "images": ["photos/two.jpg"]},
        {"id": "outside", "images": ["../secret.jpg"]},
    ]
    files.pipe_file(f"{name}/secret.jpg", picture)
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    files.pipe_file(f"{name}/daily/shop.jsonl", text.encode())
    done = shop.imported(f"s3://{name}/daily/shop.jsonl", "jsonl")
    assert (done["counters"]["imported"], done["counters"]["failed"]) == (1, 2)
    assert [one["code"] for one in shop.failures(done["import_id"])] == ["missing_picture"] * 2
    shop.finds("there", picture)


def test_what_lies_elsewhere_in_s3_is_not_begun(shop: Shop, bucket: tuple[str, Any]) -> None:
    body = {"format": "bson", "source": {"path": f"s3://{bucket[0]}/other/shop.bson"}}
    answer = shop.admin.post("/v1/imports", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "paths_off")
    assert answer.json()["errors"][0]["pointer"] == "/source/path"
