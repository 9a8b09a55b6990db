from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.attributes import merged, read_attributes
from shared.errors import Invalid
from shared.products import Attributes

WHOLE = Attributes(
    title="Lamp",
    brand="Nordlicht",
    category=("Home", "Lamps"),
    price=29.5,
    currency="EUR",
    in_stock=True,
    tags=("new", "brass"),
    url="https://shop.example/lamp",
    custom={"watts": 40, "dimmable": True},
)


def test_every_field_is_read() -> None:
    body = {
        "title": "Lamp",
        "brand": "Nordlicht",
        "category": ["Home", "Lamps"],
        "price": 29.5,
        "currency": "EUR",
        "in_stock": True,
        "tags": ["new", "brass"],
        "url": "https://shop.example/lamp",
        "custom": {"watts": 40, "dimmable": True},
    }
    assert read_attributes(body) == WHOLE


def test_null_is_as_good_as_absent() -> None:
    assert read_attributes({"title": None, "price": None, "custom": None}) == Attributes()


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("colour", "red", "/colour"),
        ("colour", None, "/colour"),
        ("title", 7, "/title"),
        ("title", "x" * 501, "/title"),
        ("title", "a\0b", "/title"),
        ("title", "\ud800", "/title"),
        ("category", "Home", "/category"),
        ("category", ["Home", 7], "/category/1"),
        ("category", ["x"] * 9, "/category"),
        ("category", ["Home", ""], "/category/1"),
        ("price", "29", "/price"),
        ("price", True, "/price"),
        ("price", -1, "/price"),
        ("price", float("nan"), "/price"),
        ("price", 10**400, "/price"),
        ("currency", "euro", "/currency"),
        ("in_stock", 1, "/in_stock"),
        ("tags", ["x"] * 65, "/tags"),
        ("tags", ["x" * 101], "/tags/0"),
        ("url", "javascript:alert(1)", "/url"),
        ("custom", {"a/b": [1]}, "/custom/a~1b"),
        ("custom", {"n": float("inf")}, "/custom/n"),
        ("custom", {str(n): n for n in range(65)}, "/custom"),
        ("custom", {"": 1}, "/custom/"),
    ],
)
def test_what_is_wrong_is_refused_with_a_pointer_to_it(
    field: str, value: object, pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read_attributes({"brand": "fine", field: value}, "/items/3")
    assert [flaw.pointer for flaw in refused.value.flaws] == [f"/items/3{pointer}"]


def test_every_flaw_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        read_attributes({"title": 1, "price": "x", "url": "here"})
    assert {flaw.pointer for flaw in refused.value.flaws} == {"/title", "/price", "/url"}


def test_a_patch_sets_what_it_names_and_null_removes() -> None:
    patched = merged(WHOLE, {"price": 19, "brand": None, "custom": {"watts": None, "base": "E27"}})
    assert patched.price == 19.0
    assert patched.brand is None
    assert patched.custom == {"dimmable": True, "base": "E27"}
    assert (patched.title, patched.tags) == (WHOLE.title, WHOLE.tags)
    assert merged(WHOLE, {"custom": None}).custom == {}
    assert merged(WHOLE, {"title": None}).title == ""


def test_a_patch_that_is_wrong_is_refused_whole() -> None:
    with pytest.raises(Invalid):
        merged(WHOLE, {"price": 19, "custom": 7})


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["title", "category", "price", "tags", "custom", "in_stock", "x"]), json
    )
)
def test_whatever_comes_is_read_or_refused_kindly(body: dict[str, Any]) -> None:
    try:
        attributes = read_attributes(body)
    except Invalid:
        return
    assert merged(attributes, {}) == attributes
