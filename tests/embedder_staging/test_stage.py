"""Telling how far staging is, stopping, limits."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.embedder.staging import stage as staging
from services.embedder.staging.documents import Ranged
from services.embedder.staging.stage import StagedFormat, Stopped, stage
from shared.sources.bson import decode
from shared.sources.records import BadRecord, Named, Record
from tests.embedder_staging.given import ranged, staged


@pytest.fixture(autouse=True)
def _told_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_TELL_EVERY", 0.0)


def _parquet(rows: int) -> bytes:
    file = io.BytesIO()
    pq.write_table(
        pa.table({"product_id": range(rows), "image": [os.urandom(900) for _ in range(rows)]}), file
    )
    return file.getvalue()


def _json(images: int) -> bytes:
    entries = ",".join(f'{{"image_id": {n}}}' for n in range(images))
    return f'{{"images": [{entries}]}}'.encode()


@pytest.mark.parametrize(("format_", "make"), [("parquet", _parquet), ("imaterialist", _json)])
def test_the_caller_hears_how_far_the_source_is_read(
    format_: StagedFormat, make: Callable[[int], bytes]
) -> None:
    data = make(30_000 if format_ == "imaterialist" else 2_000)
    told: list[tuple[int, int]] = []

    def tell(done: int, size: int) -> bool:
        told.append((done, size))
        return True

    staged(format_, ranged(data), tell=tell)
    assert {size for _, size in told} == {len(data)}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert 0 < told[0][0] < len(data)
    assert told[-1][0] > len(data) * 0.9


@pytest.mark.parametrize(("format_", "make"), [("parquet", _parquet), ("imaterialist", _json)])
@pytest.mark.parametrize("patience", [0, 1, 5, 50])
def test_staging_stops_when_told_while_reading_and_while_writing(
    format_: StagedFormat, make: Callable[[int], bytes], patience: int
) -> None:
    left = iter(range(patience))
    with pytest.raises(Stopped):
        stage(format_, ranged(make(1_000)), len, lambda *_: next(left, None) is not None)


def test_a_folder_has_no_size_and_stops_all_the_same(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.jpg").touch()
    told: list[tuple[int, int]] = []

    def tell(done: int, size: int) -> bool:
        told.append((done, size))
        return len(told) < 2

    with pytest.raises(Stopped):
        stage("folder", tmp_path, len, tell)
    assert told == [(0, 0), (0, 0)]


def _records(
    format_: StagedFormat, source: Ranged | Path, **asked: Any
) -> list[Record | BadRecord]:
    blob = bytearray()
    stage(format_, source, blob.extend, **asked)
    return list(decode(bytes(blob)))


def test_what_is_staged_is_read_as_any_bson_file_with_the_names_that_everybody_knows(
    tmp_path: Path,
) -> None:
    (tmp_path / "hats").mkdir()
    (tmp_path / "hats/red_hat.jpg").touch()
    image = Named("path", "hats/red_hat.jpg")
    fields = {"title": "red hat", "category": ["hats"]}
    assert _records("folder", tmp_path) == [Record(0, "hats~red_hat", fields, None, (image,))]

    (row, *_) = _records("parquet", ranged(_parquet(3)))
    assert isinstance(row, Record)
    assert (row.product_id, [len(picture) for picture in row.held]) == ("0", [900])

    listed = b'{"images": [{"image_id": 7, "url": "https://a.example/7"}, {"image_id": 8}]}'
    seven, eight = _records("imaterialist", ranged(listed), download=True)
    assert isinstance(seven, Record)
    assert seven.pictures == (Named("url", "https://a.example/7"),)
    assert isinstance(eight, BadRecord)
    assert (eight.product_id, eight.code) == ("8", "picture_count")


@pytest.mark.parametrize("limit", [0, 1, 7, 1_000, None])
def test_no_more_than_the_limit_is_staged(limit: int | None) -> None:
    documents, report = staged("parquet", ranged(_parquet(20)), limit=limit)
    assert [document["product_id"] for document in documents] == list(range(20))[:limit]
    assert report.records == len(documents)
