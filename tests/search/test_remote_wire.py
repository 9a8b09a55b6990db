"""What goes over the wire comes back the same, or is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import errors
from shared.errors import Flaw, LookalikeError, Malformed
from shared.filters import And, Filter, In, Not, Or, Range, Under
from shared.hits import (
    Cursor,
    FacetCount,
    FacetRequest,
    Hit,
    SearchAnswer,
    SearchRequest,
    ShardFailure,
    WeightedProduct,
    WeightedVector,
    plan_of,
    steps_of,
)
from shared.runtime.problems import error_of, problem
from shared.seams import wire

texts = st.text(max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | numbers
fields = st.sampled_from(["brand", "tags", "price", "custom.size", "custom.a.b"])
leaves = st.one_of(
    st.builds(In, fields, st.tuples(texts | st.booleans() | st.integers(-9, 9) | numbers)),
    st.builds(Under, st.lists(texts, max_size=3).map(tuple)),
    st.builds(Range, st.just("price"), maybe, maybe, numbers, maybe),
)


def grown(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, parts)


requests = st.builds(
    SearchRequest,
    tenant=texts,
    index=texts,
    fingerprint=texts,
    vector=st.none() | st.binary(max_size=32),
    products=st.lists(st.builds(WeightedProduct, texts, numbers), max_size=2).map(tuple),
    parts=st.lists(st.builds(WeightedVector, st.binary(max_size=8), numbers), max_size=2).map(
        tuple
    ),
    blend=st.dictionaries(st.sampled_from(["content", "style", "colour"]), numbers),
    filter=st.none() | st.recursive(leaves, grown, max_leaves=5),
    facets=st.lists(st.builds(FacetRequest, texts, st.integers(1, 99)), max_size=2).map(tuple),
    limit=st.integers(),
    after=st.none() | st.builds(Cursor, numbers, texts),
    min_similarity=maybe,
    backend=st.sampled_from(["auto", "exact", "faiss", "annoy", "elasticsearch"]),
    exact=st.booleans(),
    group_by=st.sampled_from(["product", "image"]),
    deadline_ms=st.integers(),
    leave_out=st.frozensets(texts, max_size=3),
)


@given(requests)
def test_a_request_comes_back_the_same(request: SearchRequest) -> None:
    assert wire.request_from_json(wire.request_to_json(request)) == request


answers = st.builds(
    SearchAnswer,
    hits=st.lists(
        st.builds(
            Hit, texts, texts, numbers, st.dictionaries(st.just("style"), numbers), st.integers()
        ),
        max_size=3,
    ).map(tuple),
    backend=st.sampled_from(["exact", "faiss"]),
    plan=texts,
    rows_seen=st.integers(),
    generation=st.integers(),
    as_of=st.integers(),
    shards_ok=st.integers(),
    shards_failed=st.lists(st.builds(ShardFailure, st.integers(), texts), max_size=2).map(tuple),
    facets=st.dictionaries(
        texts, st.lists(st.builds(FacetCount, texts, st.integers()), max_size=2).map(tuple)
    ),
)


@given(answers)
def test_an_answer_comes_back_the_same(answer: SearchAnswer) -> None:
    assert wire.answer_from_json(wire.answer_to_json(answer)) == answer


REQUEST = json.loads(wire.request_to_json(SearchRequest("t", "i", "f", b"abc")))


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": "24"},
        {"limit": 24.5},
        {"limit": None},
        {"exact": 1},
        {"backend": "solr"},
        {"blend": {"taste": 1}},
        {"vector": "~~~"},
        {"after": [1]},
        {"products": [{"product_id": "a", "size": 1}]},
        {"more": 1},
        {"tenant": ["t"]},
    ],
    ids=json.dumps,
)
def test_what_is_no_request_is_refused(changes: dict[str, Any]) -> None:
    assert wire.request_from_json(json.dumps(REQUEST).encode()).vector == b"abc"
    body = {"request": REQUEST["request"] | changes}
    with pytest.raises(Malformed):
        wire.request_from_json(json.dumps(body).encode())


def test_what_has_its_default_value_is_not_sent() -> None:
    assert set(REQUEST) == {"request"}
    assert set(REQUEST["request"]) == {"tenant", "index", "fingerprint", "vector"}


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if issubclass(kind, LookalikeError)], ids=lambda k: k.__name__
)
def test_an_error_comes_back_as_the_problem_that_it_became(kind: type[LookalikeError]) -> None:
    error = kind("So it is.", code="special", flaws=(Flaw("/a", "b", "c"),))
    back = error_of(json.loads(json.dumps(problem(error, instance="/", request_id="r"))))
    assert type(back) is kind
    assert (back.detail, back.kind, back.flaws) == (error.detail, error.kind, error.flaws)


def test_plans_can_be_added_up() -> None:
    one, other = "1 exact, 2 graph(ef=64)", "2 graph(ef=64), 1 trees(n=90)"
    assert plan_of(steps_of(one) + steps_of(other)) == "1 exact, 4 graph(ef=64), 1 trees(n=90)"
    assert plan_of(steps_of("nothing")) == "nothing"
