import struct
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from shared.sources.bson import decode, encode
from shared.sources.records import BadRecord, Record

GOOD = encode(1, [b"\xff\xd8"])


def only(data: bytes) -> Record | BadRecord:
    (item,) = decode(data)
    return item


def record(**fields: Any) -> Record:
    item = only(encode(7, [b"one", b"two"], category_id=12, extras=fields))
    assert isinstance(item, Record)
    return item


def test_a_record_comes_back_as_it_was_written() -> None:
    assert record() == Record(0, "7", {}, 12, (b"one", b"two"))


def test_offsets_are_those_of_the_file() -> None:
    first, second = decode(GOOD + encode(2, [b"x"]), 1_000)
    assert (first.offset, second.offset) == (1_000, 1_000 + len(GOOD))


def test_a_record_without_category_has_none() -> None:
    item = only(GOOD)
    assert isinstance(item, Record)
    assert item.category_id is None


def test_a_whole_number_of_64_bits_is_an_id_like_any_other() -> None:
    item = only(encode(Int64(2**40), [b"x"], category_id=Int64(5)))
    assert isinstance(item, Record)
    assert (item.product_id, item.category_id) == (str(2**40), 5)
    assert type(item.category_id) is int


def test_other_plain_fields_come_along() -> None:
    fields = {
        "title": "Striped teal mug",
        "price": 12.5,
        "in_stock": False,
        "tags": ["a", "b"],
        "custom": {"volume": 3, "dishwasher": True},
    }
    assert record(**fields).fields == fields


def test_fields_of_a_database_become_what_json_can_say() -> None:
    custom = {
        "seen": datetime(2024, 1, 2, tzinfo=UTC),
        "ref": ObjectId("0123456789abcdef01234567"),
        "stock": Int64(4),
    }
    fields = record(price=Decimal128("12.50"), custom=custom).fields
    assert fields["price"] == 12.5
    assert fields["custom"] == {
        "seen": "2024-01-02T00:00:00",
        "ref": "0123456789abcdef01234567",
        "stock": 4,
    }
    assert type(fields["custom"]["stock"]) is int


@pytest.mark.parametrize(
    "value",
    [b"bytes", float("nan"), Decimal128("sNaN"), Decimal128("Infinity"), bson.regex.Regex("a")],
)
def test_what_json_cannot_say_is_left_out(value: object) -> None:
    custom = {"odd": value, "even": 2, "nested": {"odd": value}}
    assert record(brand=value, price=value, tags=["a", value], custom=custom).fields == {
        "tags": ["a"],
        "custom": {"even": 2, "nested": {}},
    }


def test_an_empty_picture_is_handed_on_for_the_check_of_pictures() -> None:
    item = only(encode(1, [b"", b"good"]))
    assert isinstance(item, Record)
    assert item.pictures == (b"", b"good")


def test_any_kind_of_binary_is_a_picture_and_comes_as_bytes() -> None:
    item = only(encode(1, [Binary(b"x" * 16, 4)]))
    assert isinstance(item, Record)
    assert type(item.pictures[0]) is bytes


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        ({"imgs": [{"picture": b"x"}]}, "wrong_type", "nothing as id, product_id, _id"),
        ({"_id": "a/b", "imgs": [{"picture": b"x"}]}, "bad_product_id", "no slash"),
        ({"_id": True, "imgs": [{"picture": b"x"}]}, "wrong_type", "type bool as _id"),
        ({"_id": 1.5, "imgs": [{"picture": b"x"}]}, "wrong_type", "type float as _id"),
        ({"_id": 1, "category_id": "x", "imgs": []}, "wrong_type", "category_id"),
        ({"_id": 1}, "missing_imgs", "no images, imgs"),
        ({"_id": 1, "imgs": 5}, "wrong_type", "must be a list"),
        ({"_id": 1, "imgs": []}, "picture_count", "0 pictures"),
        ({"_id": 1, "imgs": [{"picture": b"x"}] * 17}, "picture_count", "17 pictures"),
        ({"_id": 1, "imgs": [{"picture": "x"}]}, "wrong_type", "type str as imgs[0].picture"),
        ({"_id": 1, "imgs": [{"picture": b"x"}, {}]}, "wrong_type", "nothing as imgs[1].picture"),
        ({"_id": 1, "imgs": [5]}, "wrong_type", "imgs[0]"),
    ],
)
def test_a_record_of_another_form_is_refused_and_its_neighbours_are_not(
    document: dict[str, Any], code: str, words: str
) -> None:
    before, bad, after = decode(GOOD + bson.encode(document) + GOOD, 50)
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, BadRecord)
    assert (bad.offset, bad.code) == (50 + len(GOOD), code)
    assert words in bad.detail


def test_a_record_that_is_no_bson_inside_is_refused_and_its_neighbours_are_not() -> None:
    broken = GOOD.replace(b"picture", b"pict\0re")
    before, bad, after = decode(GOOD + broken + GOOD)
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, BadRecord)
    assert bad.code == "unreadable"


def nested(depth: int) -> bytes:
    """A document in a document in a document, made by hand: no writer would."""
    sizes = range(5 + 8 * depth, 5, -8)
    return b"".join(struct.pack("<i", size) + b"\x03a\0" for size in sizes) + (
        struct.pack("<i", 5) + b"\0" + b"\0" * depth
    )


@pytest.mark.parametrize(("depth", "kind"), [(400, Record), (100_000, BadRecord)])
def test_a_record_nested_deeply_harms_nobody(depth: int, kind: type) -> None:
    fields = b"\x10_id\0\x01\0\0\0\x03deep\0" + nested(depth) + GOOD[13:]
    data = struct.pack("<i", len(fields) + 4) + fields
    deep, good = decode(data + GOOD)
    assert isinstance(deep, kind)
    assert isinstance(good, Record)
