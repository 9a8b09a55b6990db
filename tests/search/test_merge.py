"""Order, one hit a product, and pages that add up, whatever ties there are."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search import merge
from services.search.merge import Candidate
from shared.hits import Cursor, GroupBy, Hit, merged

candidates = st.lists(
    st.builds(
        Candidate,
        similarity=st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.250001, 0.9, 1.0]),
        product_id=st.sampled_from("abcdefghij"),
        image=st.sampled_from(["x", "y", "z"]),
        segment=st.just(0),
        row=st.just(0),
    ),
    max_size=60,
)
grouping = st.sampled_from(["product", "image"])


@given(candidates, grouping, st.integers(1, 9))
def test_pages_are_the_whole_cut_in_pieces(
    found: list[Candidate], group_by: GroupBy, limit: int
) -> None:
    whole = merge.ranked(found, group_by)
    pages: list[Candidate] = []
    cursor: Cursor | None = None
    while page := merge.after(whole, cursor)[:limit]:
        pages += page
        assert len(pages) <= len(whole)
        cursor = Cursor(page[-1].similarity, page[-1].product_id)
    assert pages == whole


@given(candidates)
def test_a_product_comes_once_by_its_best_image(found: list[Candidate]) -> None:
    whole = merge.ranked(found, "product")
    assert {c.product_id for c in whole} == {c.product_id for c in found}
    assert len({c.product_id for c in whole}) == len(whole)
    for hit in whole:
        assert hit.similarity == max(c.similarity for c in found if c.product_id == hit.product_id)


@given(candidates, grouping, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    found: list[Candidate], group_by: GroupBy, shuffle: random.Random
) -> None:
    whole = merge.ranked(found, group_by)
    shuffle.shuffle(found)
    assert merge.ranked(found, group_by) == whole
    places = [(-c.similarity, c.product_id) for c in whole]
    assert all(one < other for one, other in pairwise(places))


def test_what_is_as_near_as_the_unfetched_is_not_certain() -> None:
    found = [Candidate(s, "a", "x", 0, 0) for s in (0.9, 0.500001, 0.5)]
    assert [c.similarity for c in merge.certain(found, 0.5)] == [0.9]


@given(candidates, st.integers(1, 4), st.integers(1, 20))
def test_shards_together_are_one_list(found: list[Candidate], shards: int, limit: int) -> None:
    whole = merge.ranked(found, "product")
    hits = [Hit(c.product_id, c.image, c.similarity, {}, 1) for c in whole]
    dealt = [[h for h in hits if ord(h.product_id) % shards == n] for n in range(shards)]
    assert list(merged((page[:limit] for page in dealt), limit)) == hits[:limit]


@pytest.mark.parametrize("rows", [1, 2, 7, 64, 1_000])
def test_a_similarity_does_not_depend_on_what_else_was_fetched(rows: int) -> None:
    import numpy as np

    seed = np.random.default_rng(3)
    vectors = seed.normal(scale=0.05, size=(1_000, 352)).astype("f4")
    query = seed.normal(scale=0.05, size=352).astype("f4")
    assert merge.similarities(vectors[:rows], query) == merge.similarities(vectors, query)[:rows]
