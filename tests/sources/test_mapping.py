"""A feed's fields as a product's, told or guessed."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.sources.mapping import FieldMap, read_mapping
from shared.sources.records import BadRecord, Document, Named, Record

IMAGE = "https://shop.example/1.jpg"


def mapped(fields: dict[str, Any], mapping: dict[str, object] | None = None) -> Record | BadRecord:
    return read_mapping(mapping or {}).record(Document(70, fields))


def good(fields: dict[str, Any], mapping: dict[str, object] | None = None) -> Record:
    record = mapped({"id": 1, "images": [IMAGE], **fields}, mapping)
    assert isinstance(record, Record), record
    return record


def refused(fields: dict[str, Any], mapping: dict[str, object] | None = None) -> BadRecord:
    record = mapped({"id": 1, "images": [IMAGE], **fields}, mapping)
    assert isinstance(record, BadRecord), record
    assert record.offset == 70
    assert "byte 70" in record.detail
    assert record.detail.endswith(".")
    return record


@pytest.mark.parametrize("name", ["id", "product_id", "_id", "sku"])
@pytest.mark.parametrize("images", ["images", "imgs", "image", "pictures", "image_link"])
def test_names_that_everybody_knows_need_no_mapping(name: str, images: str) -> None:
    record = mapped({name: "mug-1", images: IMAGE})
    assert isinstance(record, Record)
    assert (record.product_id, record.pictures) == ("mug-1", (Named("url", IMAGE),))


def test_of_several_ids_the_plainest_counts() -> None:
    record = mapped({"_id": "5f1d", "product_id": 7, "images": [IMAGE]})
    assert isinstance(record, Record)
    assert record.product_id == "7"


def test_a_mapping_names_fields_within_fields_and_through_lists() -> None:
    fields = {
        "sku": "a",
        "photos": [{"url": IMAGE}, {"alt": "no url"}, {"url": "b.jpg"}],
        "names": {"fr": "Tasse", "en": "Mug"},
        "shop": {"level1": "Home", "level2": "Kitchen"},
        "color": "teal",
        "cost": {"amount": "12,50", "unit": "EUR"},
    }
    mapping: dict[str, object] = {
        "id": "sku",
        "images": "photos.url",
        "title": "names.fr",
        "category": ["shop.level1", "shop.level2", "shop.level3"],
        "price": "cost.amount",
        "currency": "cost.unit",
        "custom": {"colour": "color", "lid": "lid"},
    }
    assert mapped(fields, mapping) == Record(
        70,
        "a",
        {
            "title": "Tasse",
            "category": ["Home", "Kitchen"],
            "price": 12.5,
            "currency": "EUR",
            "custom": {"colour": "teal"},
        },
        None,
        (Named("url", IMAGE), Named("path", "b.jpg")),
    )


def test_pictures_are_gathered_from_several_fields_in_the_order_told() -> None:
    record = good(
        {"photo2": "2.jpg", "photo1": "1.jpg"}, {"images": ["photo1", "photo2", "photo3"]}
    )
    assert record.pictures == (Named("path", "1.jpg"), Named("path", "2.jpg"))


def test_a_name_with_a_dot_in_it_is_a_name_first() -> None:
    assert good({"a.b": "dotted", "a": {"b": "deep"}}, {"title": "a.b"}).fields["title"] == "dotted"


def test_columns_that_begin_with_custom_are_custom_fields() -> None:
    assert good({"custom.colour": "teal"}).fields == {"custom": {"colour": "teal"}}


def test_what_a_mapping_names_is_not_looked_for_elsewhere() -> None:
    bad = mapped({"id": 1, "images": [IMAGE]}, {"id": "sku"})
    assert isinstance(bad, BadRecord)
    assert (bad.code, bad.product_id) == ("wrong_type", None)
    assert "nothing as sku" in bad.detail


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("Home > Kitchen > Mugs", ["Home", "Kitchen", "Mugs"]),
        ("Home", ["Home"]),
        ("Age >3 > Toys > ", ["Age >3", "Toys"]),
    ],
)
def test_a_category_in_one_text_is_taken_apart(text: str, levels: list[str]) -> None:
    assert good({"category": text}).fields["category"] == levels
    assert good({"category": levels}).fields["category"] == levels


def test_separators_are_told() -> None:
    mapping: dict[str, object] = {"category_separator": "/", "list_separator": ","}
    record = good({"category": "Home/Mugs", "tags": "a, b,", "images": "1.jpg,2.jpg"}, mapping)
    assert record.fields == {"category": ["Home", "Mugs"], "tags": ["a", "b"]}
    assert [one.value for one in record.pictures if isinstance(one, Named)] == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize(
    ("text", "price", "currency"),
    [
        ("12.50", 12.5, None),
        ("12,50", 12.5, None),
        ("12", 12.0, None),
        ("1.299,00 €", 1299.0, "EUR"),
        ("1,299.00", 1299.0, None),
        ("EUR 12.50", 12.5, "EUR"),
        ("12.5 USD", 12.5, "USD"),
        ("$5", 5.0, None),
        ("1 299,90", 1299.9, None),
        ("1\u202f299,90\u00a0€", 1299.9, "EUR"),
        ("1'299.90", 1299.9, None),
        ("1.299.000", 1299000.0, None),
        ("1,234,567.89", 1234567.89, None),
        ("0,125", 0.125, None),
        ("1299.000", 1299.0, None),
    ],
)
def test_a_price_in_a_text_is_read(text: str, price: float, currency: str | None) -> None:
    fields = good({"price": text}).fields
    assert (fields["price"], fields.get("currency")) == (price, currency)


@pytest.mark.parametrize(
    "text", ["1.299", "12,345", "free", "-5", "1.2.3", "1,23,456.00", "12.50 EURO", "", "1" * 50]
)
def test_a_price_that_may_be_another_is_refused(text: str) -> None:
    bad = refused({"price": text})
    assert (bad.code, bad.product_id) == ("wrong_type", "1")
    assert "as price" in bad.detail
    assert "write" in bad.detail


def test_a_currency_that_stands_alone_is_the_one() -> None:
    assert good({"price": "5 EUR", "currency": "CHF"}).fields["currency"] == "CHF"


@pytest.mark.parametrize(
    ("value", "said"),
    [("yes", True), ("FALSE", False), ("1", True), ("in stock", True), ("out_of_stock", False)],
)
def test_what_is_in_stock_is_told_in_words(value: str, said: bool) -> None:  # noqa: FBT001
    assert good({"in_stock": value}).fields["in_stock"] is said
    assert good({"availability": value}, {"in_stock": "availability"}).fields["in_stock"] is said


def test_words_that_nobody_knows_are_refused() -> None:
    assert "'perhaps' as in_stock; write yes or no" in refused({"in_stock": "perhaps"}).detail


def test_a_category_id_may_be_a_text_of_digits() -> None:
    assert good({"category_id": "1000"}).category_id == 1000
    assert refused({"category_id": "ten"}).code == "wrong_type"


@pytest.mark.parametrize(
    ("item", "picture"),
    [
        (b"jpeg", b"jpeg"),
        ({"picture": b"jpeg"}, b"jpeg"),
        ({"bytes": b"jpeg", "url": IMAGE}, b"jpeg"),
        ({"base64": b64encode(b"jpeg").decode()}, b"jpeg"),
        ({"base64": "data:image/jpeg;base64," + b64encode(b"jpeg").decode()}, b"jpeg"),
        ({"base64": "anBl\r\nZw=="}, b"jpeg"),
        ("https://shop.example/a|b.jpg", Named("url", "https://shop.example/a|b.jpg")),
        ("folder/1.jpg", Named("path", "folder/1.jpg")),
        ({"url": IMAGE}, Named("url", IMAGE)),
        ({"path": "1.jpg"}, Named("path", "1.jpg")),
        ({"picture": None, "upload_id": "upl_1"}, Named("upload_id", "upl_1")),
    ],
)
def test_a_picture_comes_along_or_is_named(item: object, picture: bytes | Named) -> None:
    assert good({"images": [item]}).pictures == (picture,)


@pytest.mark.parametrize(
    ("images", "code", "words"),
    [
        ([], "picture_count", "0 pictures"),
        ([IMAGE] * 17, "picture_count", "17 pictures"),
        (None, "missing_imgs", "no images"),
        ([{"base64": "not base64!"}], "bad_base64", "images[0].base64"),
        ([{"base64": "abc"}], "bad_base64", "images[0].base64"),
        ([IMAGE, {"picture": "text"}], "wrong_type", "images[1].picture"),
        ([{"alt": "x"}], "wrong_type", "nothing as images[0].picture"),
        ([IMAGE, " "], "bad_text", "images[1]"),
        (["a\0b"], "bad_text", "images[0]"),
        (["\ud800"], "bad_text", "images[0]"),
    ],
)
def test_a_picture_that_is_none_is_refused(images: object, code: str, words: str) -> None:
    bad = refused({"images": images})
    assert (bad.code, bad.product_id) == (code, "1")
    assert words in bad.detail


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"colour": "x"}, "/mapping/colour"),
        ({"id": 5}, "/mapping/id"),
        ({"id": ["a", "b"]}, "/mapping/id"),
        ({"title": ""}, "/mapping/title"),
        ({"images": []}, "/mapping/images"),
        ({"images": ["a", 5]}, "/mapping/images/1"),
        ({"custom": "x"}, "/mapping/custom"),
        ({"custom": {"a/b": None}}, "/mapping/custom/a~1b"),
        ({"list_separator": ""}, "/mapping/list_separator"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_where(body: dict[str, object], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_mapping(body)
    assert [flaw.pointer for flaw in caught.value.flaws] == [pointer]
    assert caught.value.detail.endswith(".")


def test_null_in_a_mapping_is_as_good_as_absent() -> None:
    assert read_mapping({"id": None, "custom": None}) == FieldMap()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab."), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["id", "images", "price", "in_stock", "category", "custom", "tags", "a", "a.b"]
)


@settings(max_examples=300, deadline=None)
@given(fields=st.dictionaries(names, values), path=st.text("ab.", min_size=1, max_size=5))
def test_documents_of_any_form_are_records_or_refused(fields: dict[str, Any], path: str) -> None:
    for mapping in (FieldMap(), read_mapping({"id": path, "images": [path, "a.b"], "title": path})):
        assert isinstance(mapping.record(Document(0, fields)), Record | BadRecord)
