"""Rows of Parquet files: whatever columns they have, however they were written, damaged or not."""

import datetime as dt
import io
import json
import math
import os
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.embedder.staging.documents import Ranged
from shared.errors import Invalid, TooLarge, Unavailable
from tests.embedder_staging.given import ranged, staged


def _file(table: pa.Table, **how: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **how)
    return file.getvalue()


def _read(columns: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
    return staged("parquet", ranged(_file(pa.table(columns), **how)))[0]


IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def test_pictures_as_hugging_face_writes_them_keep_bytes_and_path() -> None:
    one = {"bytes": b"\xff\xd8one", "path": "1.jpg"}
    columns = {
        "product_id": [1, 2],
        "image": pa.array([one, {"bytes": None, "path": "2.jpg"}], IMAGE),
        "images": pa.array([[one, one], []], pa.list_(IMAGE)),
    }
    assert _read(columns) == [
        {"product_id": 1, "image": one, "images": [one, one]},
        {"product_id": 2, "image": {"path": "2.jpg"}, "images": []},
    ]


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"label": {"names": ["hat", "shoe"], "_type": "ClassLabel"}}, ["shoe", -1, None]),
        ({"label": {"dtype": "int64", "_type": "Value"}, "gone": {"names": ["x"]}}, [1, -1, None]),
        ({"label": {"names": 5}}, [1, -1, None]),
        (["label"], [1, -1, None]),
    ],
)
def test_class_labels_are_said_by_name_where_the_file_has_the_names(
    features: object, said: list[object]
) -> None:
    table = pa.table({"label": [1, -1, None]})
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    data = _file(table.replace_schema_metadata(described))
    documents, _ = staged("parquet", ranged(data))
    assert [document.get("label") for document in documents] == said


def test_a_column_that_only_claims_to_be_labels_stays_as_it_is() -> None:
    described = {"huggingface": json.dumps({"info": {"features": {"label": {"names": ["hat"]}}}})}
    table = pa.table({"label": [[0], [1]]}).replace_schema_metadata(described)
    documents, _ = staged("parquet", ranged(_file(table)))
    assert documents == [{"label": [0]}, {"label": [1]}]


def test_columns_of_one_name_do_no_harm() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert staged("parquet", ranged(_file(table)))[0] == [{"a": 2}]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (pa.array([Decimal("19.90")]), 19.9),
        (pa.array([Decimal(12345678901234567890123)]), "12345678901234567890123"),
        (pa.array([2**64 - 1], pa.uint64()), str(2**64 - 1)),
        (pa.array([7], pa.uint64()), 7),
        (pa.array([1.5], pa.float16()), 1.5),
        (pa.array([math.nan]), None),
        (pa.array([-math.inf], pa.float32()), None),
        (pa.array([dt.date(2026, 11, 21)]), "2026-11-21"),
        (pa.array([dt.time(9, 30)]), "09:30:00"),
        (pa.array([1], pa.timestamp("ns")), "1970-01-01T00:00:00"),
        (pa.array([0], pa.timestamp("ms", "Nowhere/Atlantis")), "1970-01-01T00:00:00+00:00"),
        (pa.array([2**62], pa.timestamp("us")), None),
        (pa.array([[1]], pa.list_(pa.timestamp("ns"))), ["1970-01-01T00:00:00"]),
        (pa.array([1_500_000_000], pa.duration("ns")), 1.5),
        (pa.array(["red"]).dictionary_encode(), "red"),
        (pa.array([[("size", 4), ("a\0b", 5)]], pa.map_(pa.string(), pa.int8())), None),
        (pa.array([[None, "a"]]), ["a"]),
        (pa.array([None], pa.null()), None),
        (pa.array([[b"1", b"2"]], pa.large_list(pa.large_binary())), [b"1", b"2"]),
        (pa.array([b"\xff"]).cast(pa.string(), safe=False), None),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_what_bson_cannot_say_becomes_what_json_would(array: "pa.Array[Any]", said: object) -> None:
    if pa.types.is_map(array.type):
        said = {"size": 4, "ab": 5}
    wanted = {"x": 1} if said is None else {"x": 1, "value": said}
    assert _read({"x": [1], "value": array}) == [wanted]


def test_a_value_that_cannot_be_said_takes_no_neighbour_along() -> None:
    names = pa.array([b"a", b"\xff", b"c"]).cast(pa.string(), safe=False)
    assert _read({"name": names, "n": [1, 2, 3]}) == [
        {"name": "a", "n": 1},
        {"n": 2},
        {"name": "c", "n": 3},
    ]


_values = st.fixed_dictionaries(
    {
        "product_id": st.integers(-(2**63), 2**63 - 1),
        "title": st.none()
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        "price": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "in_stock": st.none() | st.booleans(),
        "tags": st.none() | st.lists(st.text("abc", max_size=3), max_size=3),
        "images": st.lists(
            st.fixed_dictionaries({"bytes": st.binary(max_size=40), "path": st.text("ab/.")}),
            max_size=3,
        ),
    }
)
_COLUMNS: dict[str, pa.DataType] = {
    "product_id": pa.int64(),
    "title": pa.string(),
    "price": pa.float64(),
    "in_stock": pa.bool_(),
    "tags": pa.list_(pa.string()),
    "images": pa.list_(IMAGE),
}


@settings(max_examples=60)
@given(
    rows=st.lists(_values, max_size=20),
    group=st.integers(1, 7),
    compression=st.sampled_from(["none", "snappy", "zstd", "gzip"]),
    at_most=st.sampled_from([1000, 1 << 20]),
)
def test_rows_come_out_of_bson_as_they_went_into_parquet(
    rows: list[dict[str, Any]], group: int, compression: str, at_most: int
) -> None:
    table = pa.Table.from_pylist(rows, pa.schema(_COLUMNS))
    data = _file(table, row_group_size=group, compression=compression)
    documents, report = staged("parquet", ranged(data, at_most))
    assert documents == [{k: v for k, v in row.items() if v is not None} for row in rows]
    assert report.oddities == {}


def test_a_record_too_large_for_bson_keeps_its_id_and_is_told() -> None:
    large = os.urandom(9 * 1024 * 1024)
    columns = {"product_id": ["a", "b"], "images": [[large, large], [b"small"]]}
    documents, report = staged("parquet", ranged(_file(pa.table(columns))))
    assert documents == [{"product_id": "a"}, {"product_id": "b", "images": [b"small"]}]
    assert report.oddities["large_record"]["count"] == 1
    assert "Record 1 has 18,8" in report.oddities["large_record"]["first"]


def test_a_page_larger_than_memory_allows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.embedder.staging.parquet._MAX_PAGE_BYTES", 1024 * 1024)
    data = _file(pa.table({"image": [os.urandom(2 * 1024 * 1024)]}))
    with pytest.raises(TooLarge, match="smaller pages"):
        staged("parquet", ranged(data))


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"no parquet at all", b"PAR1" + bytes(100) + b"PAR1"]
)
def test_what_is_no_parquet_is_refused_kindly(data: bytes) -> None:
    with pytest.raises(Invalid, match="no Parquet file that can be read, or it is damaged: "):
        staged("parquet", ranged(data))


def test_a_damaged_file_is_refused_or_read_and_nothing_else() -> None:
    columns = {
        "product_id": list(range(200)),
        "title": ["a hat"] * 200,
        "image": pa.array([{"bytes": bytes([n]) * 50, "path": None} for n in range(200)], IMAGE),
    }
    whole = _file(pa.table(columns), row_group_size=50)
    chance = random.Random(7)
    refused = []
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        end = chance.choice([len(data), len(data), chance.randrange(len(data))])
        try:
            staged("parquet", ranged(bytes(data[:end])))
        except Invalid as error:
            refused.append(error.detail)
    assert len(refused) > 100
    assert all(detail.endswith(".") for detail in refused)


def test_a_store_that_does_not_answer_is_no_damaged_file() -> None:
    data = _file(pa.table({"image": [os.urandom(1000)] * 1000}), row_group_size=100)
    reads = iter(range(8))

    def read(offset: int, length: int) -> bytes:
        if next(reads, None) is None:
            raise Unavailable("The store does not answer.")
        return data[offset : offset + length]

    with pytest.raises(Unavailable):
        staged("parquet", Ranged(read, len(data)))
