"""iMaterialist's JSON: the join, the label, the pictures, and what is said of damage."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.embedder.staging import json_items
from services.embedder.staging.json_items import items
from shared.errors import Invalid
from tests.embedder_staging.given import ranged, staged

TWO = {
    "images": [
        {"image_id": 17, "url": ["https://a.example/17.jpg", "https://b.example/17.jpg"]},
        {"id": "18", "url": "https://a.example/18.jpg"},
    ],
    "annotations": [
        {"image_id": 17, "label_id": 5},
        {"image_id": "18", "label_id": [7, "5"]},
    ],
}


def _read(body: object, **asked: Any) -> list[dict[str, Any]]:
    return staged("imaterialist", ranged(json.dumps(body).encode()), **asked)[0]


def test_an_image_is_a_product_with_its_labels() -> None:
    assert _read(TWO) == [
        {
            "product_id": "17",
            "category": ["label 5"],
            "tags": ["label 5"],
            "images": [{"path": "17.jpg"}],
        },
        {
            "product_id": "18",
            "category": ["label 7"],
            "tags": ["label 7", "label 5"],
            "images": [{"path": "18.jpg"}],
        },
    ]


def test_with_download_the_first_url_comes_first_and_the_others_beside_it() -> None:
    assert [document["images"] for document in _read(TWO, download=True)] == [
        [{"urls": ["https://a.example/17.jpg", "https://b.example/17.jpg"]}],
        [{"urls": ["https://a.example/18.jpg"]}],
    ]


@pytest.mark.parametrize(("label", "ids"), [("5", ["17", "18"]), ("7", ["18"]), ("9", [])])
def test_only_images_with_the_label_are_taken(label: str, ids: list[str]) -> None:
    documents = _read(TWO, label=label)
    assert [document["product_id"] for document in documents] == ids
    assert {document["category"][0] for document in documents} <= {f"label {label}"}


@pytest.mark.parametrize("pretty", [None, 2])
def test_the_order_of_the_lists_does_not_matter_nor_what_else_is_there(pretty: int | None) -> None:
    body = {
        "info": {"year": 2017, "notes": ["]", "}", 1e3, None]},
        "annotations": TWO["annotations"],
        "licenses": [1, [2, {"images": []}], "x", -3.5],
        "images": TWO["images"],
        "version": 12,
    }
    data = b"\xef\xbb\xbf" + json.dumps(body, indent=pretty).encode()
    assert staged("imaterialist", ranged(data))[0] == _read(TWO)


def test_the_names_of_the_fashion_file_are_understood_too() -> None:
    body = {
        "images": [{"imageId": "1", "url": "https://a.example/1.jpg"}],
        "annotations": [{"imageId": "1", "labelId": ["95", "66"]}],
    }
    assert _read(body)[0]["tags"] == ["label 95", "label 66"]


def test_what_is_written_twice_counts_once_as_the_later_says() -> None:
    body = {
        "images": [*TWO["images"], {"image_id": "17", "url": "https://c.example/17.jpg"}],
        "annotations": [*TWO["annotations"], *TWO["annotations"]],
    }
    documents = _read(body, download=True)
    assert [document["product_id"] for document in documents] == ["17", "18"]
    assert documents[0]["images"][0]["urls"] == ["https://c.example/17.jpg"]
    assert documents[0]["tags"] == ["label 5"]


def test_an_image_without_url_has_no_picture_and_one_without_annotation_no_label() -> None:
    (document,) = _read({"images": [{"image_id": 1}]}, download=True)
    assert document == {"product_id": "1", "category": [], "tags": [], "images": []}


def test_an_annotation_without_image_and_entries_without_id_are_told() -> None:
    body = {
        "images": [{"image_id": 1}, {"url": "https://a.example/x.jpg"}, 3, {"image_id": True}],
        "annotations": [{"image_id": 2, "label_id": 5}, {"label_id": 5}, {"image_id": 1}, None],
    }
    documents, report = staged("imaterialist", ranged(json.dumps(body).encode()))
    assert len(documents) == 1
    counts = {code: kind["count"] for code, kind in report.oddities.items()}
    assert counts == {"bad_images": 3, "bad_annotations": 3, "annotation_without_image": 1}
    assert "Image 2" in report.oddities["annotation_without_image"]["first"]
    assert "byte" in report.oddities["bad_images"]["first"]


def test_half_a_surrogate_pair_is_written_as_a_question_mark() -> None:
    (document,) = _read({"images": [{"image_id": "a\ud800\0b", "url": []}]})
    assert document["product_id"] == "a?b"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "byte 0: the file ends too early"),
        (b"[1]", "byte 0: '{' should stand here"),
        (b'{"images": [{"image_id": 1},]}', "byte 28: Expecting value"),
        (b'{"images": [{"image_id": 1} {"image_id": 2}]}', "byte 28: ',' should stand here"),
        (b'{"images": [{"image_id": 1}', "byte 27: the file ends too early"),
        (b'{"images": [{"image_id": "\xc3\xa9" x}]}', "byte 30: Expecting ',' delimiter"),
        (b'{"images": [{"image_id": 1, "url": "a', "byte 35: Unterminated string"),
        (b'{"images": [{"image_id": 1}]} {}', "byte 30: the object has ended"),
        (b'{"images": [{"image_id": "\xff"}]}', "no UTF-8 at byte 26"),
        (b'{"images": [{"image_id": "\xc3', "no UTF-8 at byte 26"),
        (b"{1: 2}", "a name in quotes"),
        (b'{"images": [' + b"[" * 100_000, "nested too deep"),
        (b'{"images": [' + b"1" * 10_000 + b"]}", "too many digits"),
        (b'{"annotations": []}', "has no images"),
    ],
)
@pytest.mark.parametrize("block", [7, 1 << 18])
def test_damage_is_told_with_its_byte(
    monkeypatch: pytest.MonkeyPatch, data: bytes, message: str, block: int
) -> None:
    monkeypatch.setattr(json_items, "_BLOCK_BYTES", block)
    with pytest.raises(Invalid, match=message):
        staged("imaterialist", ranged(data))


def test_a_value_without_end_is_not_read_into_memory() -> None:
    read = []
    size = 1 << 30

    def endless(offset: int, length: int) -> bytes:
        read.append(length)
        return b'{"images": ["'[offset : offset + length].ljust(length, b"x")

    source = type(ranged(b""))(endless, size)
    with pytest.raises(Invalid, match="Unterminated string"):
        staged("imaterialist", source)
    assert sum(read) < 32 * 1024 * 1024


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


@given(
    body=st.dictionaries(st.sampled_from("abcde"), _values),
    block=st.integers(1, 40),
    at_most=st.integers(1, 50),
    encoding=st.sampled_from(["ascii", "utf-8"]),
)
def test_items_are_what_the_whole_parser_finds_wherever_blocks_end(
    body: dict[str, Any], block: int, at_most: int, encoding: str
) -> None:
    data = json.dumps(body, ensure_ascii=encoding == "ascii").encode(errors="replace")
    whole = json.loads(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_items, "_BLOCK_BYTES", block)
        found = list(items(ranged(data, at_most), "abcde"))
    lists = {name: value for name, value in whole.items() if isinstance(value, list)}
    assert [(name, item) for name, _, item in found] == [
        (name, item) for name, value in lists.items() for item in value
    ]
    for _, offset, item in found:
        text = data[offset:].decode()
        assert json.JSONDecoder().raw_decode(text)[0] == item
