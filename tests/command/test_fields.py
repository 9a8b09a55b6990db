from typing import Any

import pytest

from lookalike.command.faults import Wrong
from lookalike.command.fields import changes_of, filter_of
from shared.filters import parse


@pytest.mark.parametrize(
    ("expression", "conditions"),
    [
        ("category=Home/Kitchen", [{"field": "category", "under": ["Home", "Kitchen"]}]),
        ("category=CD\\/DVD/Jazz", [{"field": "category", "under": ["CD/DVD", "Jazz"]}]),
        ("price<=40", [{"field": "price", "lte": 40.0}]),
        ("price>1, price<2", [{"field": "price", "gt": 1.0}, {"field": "price", "lt": 2.0}]),
        ("in_stock=true", [{"field": "in_stock", "eq": True}]),
        ("brand=Lumen|Arco & Co", [{"field": "brand", "in": ["Lumen", "Arco & Co"]}]),
        ('title="Lamp, a|b=c"', [{"field": "title", "eq": "Lamp, a|b=c"}]),
        ("brand!=Lumen", [{"not": {"field": "brand", "eq": "Lumen"}}]),
        ("tags=new", [{"field": "tags", "eq": "new"}]),
        ("custom.legs=4", [{"field": "custom.legs", "eq": 4}]),
        ('custom.legs="4"', [{"field": "custom.legs", "eq": "4"}]),
        ("custom.w>=1.5", [{"field": "custom.w", "gte": 1.5}]),
        (
            "category=A|B/C",
            [{"or": [{"field": "category", "under": p} for p in (["A"], ["B", "C"])]}],
        ),
    ],
)
def test_a_filter_is_read_and_the_server_understands_it(
    expression: str, conditions: list[dict[str, Any]]
) -> None:
    read = filter_of(expression)
    assert read == {"and": conditions}
    parse(read, declared=("legs", "w"))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "empty"),
        ("price", "cannot be read at 'price'"),
        ("colour=red", "no field 'colour'"),
        ("price<=cheap", "'cheap'"),
        ("in_stock=perhaps", "true or false"),
        ("brand=", "nothing after"),
        ('title="open', "cannot be read"),
        ("price<=4;brand=x", "'4;brand=x'"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(expression: str, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        filter_of(expression)


def test_assignments_are_typed_by_their_field() -> None:
    assert changes_of(
        ["price=39.90", "in_stock=no", "category=Home/Lamps", "tags=a, b", "custom.x=2", "brand="]
    ) == {
        "price": 39.9,
        "in_stock": False,
        "category": ["Home", "Lamps"],
        "tags": ["a", "b"],
        "custom": {"x": 2},
        "brand": None,
    }
    with pytest.raises(Wrong, match="FIELD=VALUE"):
        changes_of(["price"])
