"""Filters in Elasticsearch's words must be `passes`, to the letter."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.filters import FIELDS, And, Filter, In, Not, Or, Range, Under, passes
from shared.ids import new_id
from shared.index.elasticsearch.client import Cluster
from shared.index.elasticsearch.documents import write_of
from shared.index.elasticsearch.query import all_of, passing
from shared.index.entries import Entry
from shared.indexes import Index
from shared.products import Attributes, Scalar
from tests.indexer.conftest import an_index

DECLARED = ("size", "a.b", "")

storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
texts = st.sampled_from(["", "a", "b", "A", "true", "1", '"a"', "été", "a > b"]) | storable
whole = st.integers(-(2**53), 2**53)  # beyond, doubles are fewer than integers, as in segments
numbers = st.sampled_from([0, 1, -1, 1.0, 0.5, -0.0]) | whole | st.floats(-1e18, 1e18)
scalars: st.SearchStrategy[Scalar] = texts | numbers | st.booleans()
attributes = st.builds(
    Attributes,
    title=texts,
    brand=st.none() | texts,
    category=st.lists(texts, max_size=3).map(tuple),
    price=st.none() | st.floats(0, 1e18) | st.sampled_from([0.0, -0.0, 1.0]),
    currency=st.none() | texts,
    in_stock=st.none() | st.booleans(),
    tags=st.lists(texts, max_size=3).map(tuple),
    url=st.none() | texts,
    custom=st.dictionaries(st.sampled_from([*DECLARED, "other"]), scalars, max_size=3),
)
strange: list[Scalar] = [math.nan, math.inf, 10**400, "\ud800"]
asked_for = scalars | st.sampled_from(strange) | st.integers()
fields = st.sampled_from((*FIELDS, *(f"custom.{name}" for name in DECLARED)))
bounds = st.none() | st.floats() | st.sampled_from([0.0, -0.0, 1.0])
ranged = st.sampled_from(["price", "custom.size", "custom.a.b"])
leaves: st.SearchStrategy[Filter] = (
    st.builds(In, fields, st.lists(asked_for, max_size=3).map(tuple))
    | st.builds(Range, ranged, bounds, bounds, bounds, bounds)
    | st.builds(Under, st.lists(texts, max_size=3).map(tuple))
)


def _nested(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    some = st.lists(parts, max_size=3).map(tuple)
    return st.builds(And, some) | st.builds(Or, some) | st.builds(Not, parts)


conditions = st.recursive(leaves, _nested, max_leaves=5)


@pytest.fixture(scope="module")
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with closing(Cluster(elasticsearch_url, prefix=new_id("filters"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def index(cluster: Cluster) -> Iterator[Index]:
    made = an_index("f", targets=("elasticsearch",), declared=DECLARED)
    cluster.ensure(made)
    yield made
    cluster.drop(cluster.name(made))


def stored(cluster: Cluster, index: Index, products: list[Attributes], version: int) -> None:
    """Instead of what was there before, under the same few ids."""
    entries = [
        Entry(f"p{n}", version, version, False, a, (), version, 0) for n, a in enumerate(products)
    ]
    gone = [replace(_NOBODY, product_id=f"p{n}", revision=version) for n in range(len(products), 6)]
    writes = [write_of(entry, index, 0) for entry in (*entries, *gone)]
    outcome = cluster.write(index, writes)
    assert outcome.done == tuple(writes), outcome
    cluster.refresh(index)


_NOBODY = Entry("", 0, 0, True, Attributes(), (), 0, 0)
_versions = iter(range(1, 1_000_000))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(attributes, max_size=6), st.lists(conditions, min_size=1, max_size=8))
def test_elasticsearch_passes_what_a_product_passes(
    cluster: Cluster, index: Index, products: list[Attributes], asked: list[Filter]
) -> None:
    stored(cluster, index, products, next(_versions))
    for condition in asked:
        expected = {f"p{n}" for n, said in enumerate(products) if passes(condition, said)}
        assert found(cluster, index, condition) == expected


def found(cluster: Cluster, index: Index, condition: Filter) -> set[str]:
    body = {**all_of(passing(condition, index.declared)), "size": 10}
    return {hit["_id"] for hit in cluster.search(index, body)["hits"]["hits"]}


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "true"])
def test_equal_looking_values_of_other_types_are_told_apart(
    cluster: Cluster, index: Index, value: Scalar
) -> None:
    values: list[Scalar] = [1, 1.0, True, "1", "true"]
    said = [Attributes(custom={"size": v}) for v in values]
    stored(cluster, index, said, next(_versions))
    condition = In("custom.size", (value,))
    expected = {f"p{n}" for n, a in enumerate(said) if passes(condition, a)}
    assert found(cluster, index, condition) == expected


@pytest.mark.parametrize("bound", ["gt", "gte", "lt", "lte"])
def test_minus_zero_is_zero(cluster: Cluster, index: Index, bound: str) -> None:
    said = [Attributes(price=price) for price in (0.0, -0.0)]
    stored(cluster, index, said, next(_versions))
    condition = Range("price", **{bound: -0.0})
    expected = {f"p{n}" for n, a in enumerate(said) if passes(condition, a)}
    assert found(cluster, index, condition) == expected


def test_a_field_that_is_not_declared_is_refused_kindly(index: Index) -> None:
    with pytest.raises(Invalid, match=r"`custom\.other` is not declared"):
        passing(In("custom.other", ("a",)), index.declared)
