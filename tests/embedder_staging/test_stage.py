"""Telling how far staging is, stopping, limits."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.embedder.staging import stage as staging
from services.embedder.staging.stage import StagedFormat, Stopped, stage
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


@pytest.mark.parametrize("limit", [0, 1, 7, 1_000, None])
def test_no_more_than_the_limit_is_staged(limit: int | None) -> None:
    documents, report = staged("parquet", ranged(_parquet(20)), limit=limit)
    assert [document["product_id"] for document in documents] == list(range(20))[:limit]
    assert report.records == len(documents)
