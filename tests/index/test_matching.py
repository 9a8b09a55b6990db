"""Filters over columns must be `passes`, to the letter."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.filters import FIELDS, And, Filter, In, Not, Or, Range, Under, passes
from shared.index.columns import open_columns, write_columns
from shared.index.entries import Entry
from shared.index.matching import matching
from shared.products import Attributes, Scalar
from shared.spaces import Space, Spaces

SPACES = Spaces("f1", (Space("content", 8, "c1"),))
DECLARED = ("size", "shape")

texts = st.sampled_from(["", "a", "b", "A", "true", "1", '"a"', "été"]) | st.text(max_size=3)
numbers = (
    st.sampled_from(
        [0, 1, -1, 1.0, 0.5, -0.0, 2**53, 2**53 + 1, 10**30, float(2**53), float("inf")]
    )
    | st.integers()
    | st.floats()
)
scalars: st.SearchStrategy[Scalar] = texts | numbers | st.booleans()
attributes = st.builds(
    Attributes,
    title=texts,
    brand=st.none() | texts,
    category=st.lists(texts, max_size=3).map(tuple),
    price=st.none() | st.floats() | st.sampled_from([0.0, 1.0]),
    currency=st.none() | texts,
    in_stock=st.none() | st.booleans(),
    tags=st.lists(texts, max_size=3).map(tuple),
    url=st.none() | texts,
    custom=st.dictionaries(st.sampled_from(["size", "shape", "other"]), scalars, max_size=3),
)
fields = st.sampled_from((*FIELDS, "custom.size", "custom.shape", "custom.other"))
bounds = st.none() | st.floats() | st.sampled_from([0.0, 1.0, float(2**53)])
leaves: st.SearchStrategy[Filter] = (
    st.builds(In, fields, st.lists(scalars, max_size=3).map(tuple))
    | st.builds(Range, fields, bounds, bounds, bounds, bounds)
    | st.builds(Under, st.lists(texts, max_size=3).map(tuple))
)


def _nested(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    some = st.lists(parts, max_size=3).map(tuple)
    return st.builds(And, some) | st.builds(Or, some) | st.builds(Not, parts)


conditions = st.recursive(leaves, _nested, max_leaves=5)


@settings(max_examples=300, deadline=None)
@given(st.lists(attributes, max_size=6), st.lists(conditions, min_size=1, max_size=5))
def test_columns_pass_what_a_product_passes(
    products: list[Attributes], asked: list[Filter]
) -> None:
    entries = [Entry(str(i), 1, 1, False, said, (), 1, 0) for i, said in enumerate(products)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "seg.arrow")
        write_columns(entries, SPACES, DECLARED, path)
        columns = open_columns(path)
        for condition in asked:
            expected = [passes(condition, said) for said in products]
            assert matching(condition, columns).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(attributes, min_size=1, max_size=4))
def test_attributes_come_back_as_they_were(products: list[Attributes]) -> None:
    entries = [Entry(str(i), 1, 1, False, said, (), 1, 0) for i, said in enumerate(products)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "seg.arrow")
        write_columns(entries, SPACES, DECLARED, path)
        columns = open_columns(path)
        found = [columns.attributes(i) for i in range(len(products))]
    assert repr(found) == repr(products)  # by text: not-a-number equals itself there


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "true"])
def test_equal_looking_values_of_other_types_are_told_apart(value: Scalar, tmp_path: Path) -> None:
    values: list[Scalar] = [1, 1.0, True, "1", "true"]
    said = [Attributes(custom={"size": v}) for v in values]
    entries = [Entry(str(i), 1, 1, False, a, (), 1, 0) for i, a in enumerate(said)]
    write_columns(entries, SPACES, DECLARED, tmp_path / "seg.arrow")
    condition = In("custom.size", (value,))
    found = matching(condition, open_columns(tmp_path / "seg.arrow"))
    np.testing.assert_array_equal(found, [passes(condition, a) for a in said])


def test_a_lone_surrogate_in_a_filter_matches_nothing(tmp_path: Path) -> None:
    entries = [Entry("p", 1, 1, False, Attributes(title="a"), (), 1, 0)]
    write_columns(entries, SPACES, DECLARED, tmp_path / "seg.arrow")
    columns = open_columns(tmp_path / "seg.arrow")
    for condition in (In("title", ("\ud800",)), Under(("\ud800",)), In("custom.size", ("\ud800",))):
        assert not matching(condition, columns).any()
