"""Filters: what they let through, and how a wrong one is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Flaw, Invalid
from shared.filters import (
    MAX_DEPTH,
    And,
    Filter,
    In,
    Not,
    Or,
    Range,
    Under,
    fields_of,
    parse,
    passes,
    value_of,
)
from shared.products import Attributes

DECLARED = ("size", "new")
LAMP = Attributes(
    title="Lamp",
    brand="Lux",
    category=("Home", "Lamps", "Desk"),
    price=20.0,
    in_stock=True,
    tags=("red", "small"),
    custom={"size": 3, "new": False, "note": "1"},
)
BARE = Attributes(title="Bare")


def leaf(field: str, **test: Any) -> dict[str, Any]:
    return {"field": field, **{name.removesuffix("_"): value for name, value in test.items()}}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (leaf("brand", eq="Lux"), In("brand", ("Lux",))),
        (leaf("brand", in_=["Lux", "Fer"]), In("brand", ("Lux", "Fer"))),
        (leaf("in_stock", eq=True), In("in_stock", (True,))),
        (leaf("tags", in_=["red"]), In("tags", ("red",))),
        (leaf("price", gte=1, lt=2.5), Range("price", gte=1.0, lt=2.5)),
        (leaf("price", gt=1, lte=2), Range("price", gt=1.0, lte=2.0)),
        (leaf("custom.size", gt=2), Range("custom.size", gt=2.0)),
        (leaf("category", under="Home"), Under(("Home",))),
        (leaf("category", under=["Home", "Lamps"]), Under(("Home", "Lamps"))),
        ({"not": leaf("brand", eq="Lux")}, Not(In("brand", ("Lux",)))),
        (
            {"and": [leaf("price", lt=9), {"or": [leaf("brand", eq="a")]}]},
            And((Range("price", lt=9.0), Or((In("brand", ("a",)),)))),
        ),
    ],
)
def test_a_filter_is_read_from_its_json(body: object, read: Filter) -> None:
    assert parse(body, DECLARED) == read


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ([], "/filter", "JSON object"),
        (None, "/filter", "JSON object"),
        ({}, "/filter/field", "No filterable field None"),
        (leaf("colour", eq="red"), "/filter/field", "there are: title, brand"),
        (leaf("custom.note", eq="1"), "/filter/field", "custom.note"),
        ({"field": "brand"}, "/filter", "one test"),
        (leaf("brand", eq="a", in_=["b"]), "/filter", "one test"),
        (leaf("price", eq=1, gt=2), "/filter", "one test"),
        (leaf("brand", like="a"), "/filter/like", "no `like`"),
        (leaf("brand", gt=1), "/filter", "no number"),
        (leaf("price", gt="1"), "/filter/gt", "bound is a number"),
        (leaf("price", gt=1, lte=True), "/filter/lte", "bound is a number"),
        (leaf("price", gt=10**400), "/filter/gt", "bound is a number"),
        (leaf("price", lt=float("nan")), "/filter/lt", "bound is a number"),
        (leaf("brand", under="a"), "/filter", "for the category"),
        (leaf("category", under=[1]), "/filter/under", "list of names"),
        (leaf("brand", eq=None), "/filter/eq", "texts, numbers or booleans"),
        (leaf("brand", in_="Lux"), "/filter/in", "texts, numbers or booleans"),
        (leaf("brand", in_=[["Lux"]]), "/filter/in", "texts, numbers or booleans"),
        ({"and": []}, "/filter/and", "list of filters"),
        ({"or": leaf("brand", eq="a")}, "/filter/or", "list of filters"),
        ({"and": [leaf("brand", eq="a")], "field": "b"}, "/filter/field", "no `field`"),
        ({"not": leaf("brand", eq="a"), "x": 1}, "/filter/x", "no `x`"),
        ({"and": [leaf("brand", eq="a"), 5]}, "/filter/and/1", "JSON object"),
        ({"or": [{"not": leaf("price", gt="1")}]}, "/filter/or/0/not/gt", "bound is a number"),
    ],
)
def test_a_wrong_filter_is_told_with_a_pointer_to_what_is_wrong(
    body: object, pointer: str, says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        parse(body, DECLARED)
    assert refused.value.kind == "bad_filter"
    assert refused.value.flaws == (Flaw(pointer, "bad_filter", refused.value.detail),)
    assert says in refused.value.detail


def test_the_pointer_starts_where_the_filter_stands() -> None:
    with pytest.raises(Invalid) as refused:
        parse({"not": 5}, pointer="/query/filter")
    assert refused.value.flaws[0].pointer == "/query/filter/not"


def nested(depth: int) -> dict[str, Any]:
    return {"not": nested(depth - 1)} if depth else leaf("brand", eq="Lux")


def test_filters_nest_so_deep_and_no_deeper() -> None:
    parse(nested(MAX_DEPTH))
    with pytest.raises(Invalid, match=f"at most {MAX_DEPTH} deep"):
        parse(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("condition", "lamp", "bare"),
    [
        (In("brand", ("Lux", "Fer")), True, False),
        (In("brand", ("lux",)), False, False),
        (In("tags", ("blue", "red")), True, False),
        (In("category", ("Lamps",)), True, False),
        (In("in_stock", (True,)), True, False),
        (In("in_stock", (False,)), False, False),
        (In("price", (20,)), True, False),
        (In("custom.size", (3.0,)), True, False),
        (In("custom.note", (1,)), False, False),
        (Range("price", gte=20.0, lte=20.0), True, False),
        (Range("price", gt=20.0), False, False),
        (Range("price", lt=20.0), False, False),
        (Range("custom.size", gt=2.0, lt=4.0), True, False),
        (Range("custom.note", gt=0.0), False, False),
        (Range("price"), True, False),
        (Under(("Home",)), True, False),
        (Under(("Home", "Lamps", "Desk")), True, False),
        (Under(("Home", "Chairs")), False, False),
        (Under(("Lamps",)), False, False),
        (Under(("Home", "Lamps", "Desk", "Small")), False, False),
        (Under(()), True, True),
        (Not(Range("price", gt=100.0)), True, True),
        (Not(In("brand", ("Lux",))), False, True),
        (And((In("brand", ("Lux",)), Under(("Home",)))), True, False),
        (And((In("brand", ("Lux",)), Under(("Garden",)))), False, False),
        (Or((In("brand", ("x",)), Under(("Home",)))), True, False),
        (Or((In("brand", ("x",)), Under(("Garden",)))), False, False),
    ],
)
def test_a_filter_lets_through_what_it_says(condition: Filter, *, lamp: bool, bare: bool) -> None:
    assert (passes(condition, LAMP), passes(condition, BARE)) == (lamp, bare)


@pytest.mark.parametrize(
    ("asked", "is_one", "is_true"), [(1, True, False), (True, False, True), (1.0, True, False)]
)
def test_a_boolean_is_no_number(asked: float, *, is_one: bool, is_true: bool) -> None:
    one, true = Attributes(custom={"new": 1}), Attributes(custom={"new": True})
    condition = In("custom.new", (asked,))
    assert (passes(condition, one), passes(condition, true)) == (is_one, is_true)
    assert not passes(Range("custom.new", gte=0.0), true)


def test_a_number_too_large_for_a_float_is_compared_all_the_same() -> None:
    huge = Attributes(custom={"size": 10**400})
    assert passes(Range("custom.size", gt=1.0), huge)
    assert not passes(Range("custom.size", lt=1.0), huge)


def test_a_field_is_found_by_its_name() -> None:
    assert value_of(LAMP, "brand") == "Lux"
    assert value_of(LAMP, "custom.size") == 3
    assert value_of(LAMP, "custom.gone") is None


def test_a_filter_names_every_field_that_it_asks_for() -> None:
    inner = And((Under(("Home",)), Not(Range("price", gt=1.0)), In("custom.size", (1,))))
    assert fields_of(Or((inner, In("brand", ("Lux",))))) == {
        "category",
        "price",
        "custom.size",
        "brand",
    }


leaves = st.one_of(
    st.builds(In, st.just("brand"), st.tuples(st.sampled_from(["Lux", "Fer"]))),
    st.builds(Range, st.just("price"), gt=st.none() | st.floats(0, 40), lte=st.floats(0, 40)),
    st.builds(Under, st.sampled_from([("Home",), ("Garden",)])),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@given(filters, filters)
def test_and_or_not_are_what_logic_says(one: Filter, other: Filter) -> None:
    for found in (LAMP, BARE):
        yes, too = passes(one, found), passes(other, found)
        assert passes(Not(one), found) == (not yes)
        assert passes(And((one, other)), found) == (yes and too)
        assert passes(Or((one, other)), found) == (yes or too)


def as_json(condition: Filter) -> dict[str, Any]:
    match condition:
        case And(parts):
            return {"and": [as_json(part) for part in parts]}
        case Or(parts):
            return {"or": [as_json(part) for part in parts]}
        case Not(part):
            return {"not": as_json(part)}
        case Under(path):
            return {"field": "category", "under": list(path)}
        case In(field, values):
            return {"field": field, "in": list(values)}
        case Range(field):
            bounds = {name: getattr(condition, name) for name in ("gt", "gte", "lt", "lte")}
            return {"field": field, **{n: b for n, b in bounds.items() if b is not None}}


@given(filters)
def test_what_is_read_is_what_was_said(condition: Filter) -> None:
    assert parse(as_json(condition)) == condition
