"""The laws of the `Searcher` port, for every backend, on one shard and on several."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.errors import Conflict, Invalid, NotConfigured, NotFound
from shared.filters import And, Filter, In, Not, Range, Under, passes
from shared.hits import (
    Cursor,
    FacetRequest,
    Hit,
    SearchAnswer,
    SearchRequest,
    WeightedProduct,
    WeightedVector,
)
from shared.vectors import Floats, from_bytes, unit_spaces

FILTERS: dict[str, Filter] = {
    "few": In("custom.material", ("oak",)),
    "by newer words": In("brand", ("Zed",)),
    "some": And((In("brand", ("Aki", "Bo")), Range("price", lt=60))),
    "most": Not(In("in_stock", (False,))),
    "half": Under(("Home", "Lamps")),
    "none": In("brand", ("Nobody",)),
}
BLENDS: dict[str, Any] = {
    "default": {"content": 0.8, "style": 0.1, "colour": 0.1},
    "style": {"style": 1.0},
    "colour": {"colour": 1.0},
    "away": {"content": 0.7, "colour": -0.3},
}
FLOORS = {"exact": 1.0, "faiss": 0.95, "annoy": 0.9, "elasticsearch": 0.95}
DIM = 42


def queries(count: int = 8) -> list[Floats]:
    """Near the kinds that the shop sells, as a picture of a shopper would be."""
    seed = np.random.default_rng(99)
    kinds = [np.random.default_rng(n).normal(size=DIM) for n in range(count)]
    return [(kind + seed.normal(scale=0.7, size=DIM)).astype("f4") for kind in kinds]


def ask(shop: Any, vector: Floats | None = None, **changes: Any) -> SearchAnswer:
    request = SearchRequest(
        tenant="shop",
        index="idx_live",
        fingerprint="model-1",
        vector=None if vector is None else vector.tobytes(),
        **changes,
    )
    answer: SearchAnswer = shop.searcher.search(request)
    assert answer.shards_ok == shop.shards
    assert not answer.partial
    return answer


def keys(hits: tuple[Hit, ...]) -> list[tuple[str, str]]:
    return [(hit.product_id, hit.image) for hit in hits]


def assert_same(hits: tuple[Hit, ...], truth: list[tuple[str, str, float]]) -> None:
    assert keys(hits) == [(product, image) for product, image, _ in truth]
    assert [h.similarity for h in hits] == pytest.approx([s for _, _, s in truth], abs=2e-6)


def assert_lawful(shop: Any, hits: tuple[Hit, ...]) -> None:
    order = [(-hit.similarity, hit.product_id) for hit in hits]
    assert order == sorted(order)
    assert len({hit.product_id for hit in hits}) == len(hits)
    for hit in hits:
        entry = shop.live[hit.product_id]
        assert hit.revision == entry.revision
        assert hit.image in {row.sha256 for row in entry.rows}
        assert -1 <= hit.similarity <= 1


def test_hits_are_live_sorted_and_one_a_product(shop: Any, backend: Any) -> None:
    for vector in queries():
        answer = ask(shop, vector, backend=backend, limit=50)
        assert answer.backend == backend
        assert len(answer.hits) == 50
        assert_lawful(shop, answer.hits)


def test_an_exact_search_is_the_definition_to_the_last_hit(shop: Any, backend: Any) -> None:
    for vector in queries():
        answer = ask(shop, vector, backend=backend, exact=True, limit=30)
        assert_same(answer.hits, shop.oracle(vector)[:30])


@pytest.mark.parametrize("condition", [None, FILTERS["half"]], ids=["all", "filtered"])
def test_the_plan_tells_that_a_graph_is_walked(shop: Any, condition: Filter | None) -> None:
    vector = queries()[1]  # lamps are near it
    assert "graph(ef=" in ask(shop, vector, backend="faiss", filter=condition, limit=5).plan
    assert "graph" not in ask(shop, vector, backend="exact", filter=condition, limit=5).plan
    assert ask(shop, vector, backend="auto").backend == "faiss"


def test_the_plan_tells_that_trees_are_asked(shop: Any, backend: Any) -> None:
    plan = ask(shop, queries()[0], backend=backend, limit=5).plan
    assert ("trees(n=" in plan) == (backend == "annoy")


@pytest.mark.parametrize("blend", BLENDS.values(), ids=BLENDS)
def test_recall_has_a_floor_for_every_blend(shop: Any, backend: Any, blend: Any) -> None:
    found = 0
    for vector in queries(20):
        truth = {p for p, _, _ in shop.oracle(vector, blend=blend)[:10]}
        hits = ask(shop, vector, backend=backend, blend=blend, limit=10).hits
        found += len(truth & {hit.product_id for hit in hits})
    assert found / 200 >= FLOORS[backend]


@pytest.mark.parametrize("condition", FILTERS.values(), ids=FILTERS)
def test_every_hit_passes_the_filter_and_few_are_missed(
    shop: Any, backend: Any, condition: Filter
) -> None:
    found = wanted = 0
    for vector in queries():
        truth = shop.oracle(vector, condition=condition)[:20]
        hits = ask(shop, vector, backend=backend, filter=condition, limit=20).hits
        assert_lawful(shop, hits)
        assert len(hits) == len(truth)
        assert all(passes(condition, shop.live[hit.product_id].attributes) for hit in hits)
        found += len({p for p, _, _ in truth} & {hit.product_id for hit in hits})
        wanted += len(truth)
    assert found >= FLOORS[backend] * wanted


def test_a_deleted_product_is_never_found(shop: Any, backend: Any) -> None:
    assert shop.gone
    hits = ask(shop, queries()[0], backend=backend, limit=1_000).hits
    assert not shop.gone & {hit.product_id for hit in hits}


def test_everything_that_lives_can_be_reached(shop: Any, backend: Any) -> None:
    condition = Under(("Home", "Rugs"))
    hits = ask(shop, queries()[1], backend=backend, filter=condition, limit=1_000).hits
    truth = shop.oracle(queries()[1], condition=condition)
    assert {hit.product_id for hit in hits} == {product for product, _, _ in truth}


@pytest.mark.parametrize("limit", [7, 24, 100])
def test_pages_together_are_one_big_answer(shop: Any, backend: Any, limit: int) -> None:
    vector = queries()[2]
    whole = ask(shop, vector, backend=backend, exact=True, limit=400).hits
    assert paged(shop, vector, limit, 400, backend=backend, exact=True) == keys(whole)


def test_pages_of_likely_hits_hold_no_product_twice(shop: Any, backend: Any) -> None:
    found = paged(shop, queries()[3], 10, 300, backend=backend)
    assert len({product for product, _ in found}) == 300


def paged(shop: Any, vector: Floats, limit: int, total: int, **changes: Any) -> Any:
    found: list[tuple[str, str]] = []
    cursor: Cursor | None = None
    while len(found) < total:
        hits = ask(shop, vector, limit=limit, after=cursor, **changes).hits
        assert hits
        found += keys(hits)
        cursor = Cursor(hits[-1].similarity, hits[-1].product_id)
    return found[:total]


def test_paging_is_right_a_thousand_hits_deep(shop: Any) -> None:
    vector = queries()[0]
    truth = [(product, image) for product, image, _ in shop.oracle(vector)[:1_000]]
    assert len(truth) == 1_000
    assert paged(shop, vector, 100, 1_000, backend="exact") == truth


def test_one_photo_in_many_offers_is_ordered_by_id_and_paged_without_a_gap(
    shop: Any, backend: Any
) -> None:
    row = shop.live["p02000"].rows[0]
    vector = from_bytes(row.vector)
    first = ask(shop, vector, backend=backend, limit=4).hits
    assert [hit.similarity for hit in first] == pytest.approx([1, 1, 1, 1], abs=1e-3)
    found = [product for product, _ in paged(shop, vector, 4, 28, backend=backend)]
    assert found == sorted(found)
    assert set(found) <= {f"p{n:05d}" for n in [1, *range(2_000, 2_030)]}


def test_images_one_by_one_all_come(shop: Any, backend: Any) -> None:
    for vector in queries(3):
        truth = shop.oracle(vector, by_image=True)[:60]
        answer = ask(shop, vector, backend=backend, exact=True, group_by="image", limit=60)
        assert_same(answer.hits, truth)


def test_nothing_below_the_least_similarity(shop: Any, backend: Any) -> None:
    vector = queries()[4]
    truth = [hit for hit in shop.oracle(vector) if hit[2] >= 0.3]
    assert 0 < len(truth) < 900
    answer = ask(shop, vector, backend=backend, exact=True, min_similarity=0.3, limit=1_000)
    assert_same(answer.hits, truth)


def test_what_is_left_out_makes_room_for_others(shop: Any, backend: Any) -> None:
    vector = queries()[5]
    best = frozenset(product for product, _, _ in shop.oracle(vector)[:12])
    answer = ask(shop, vector, backend=backend, exact=True, leave_out=best, limit=20)
    assert_same(answer.hits, shop.oracle(vector, leave_out=best)[:20])


def test_a_product_is_looked_for_by_the_mean_of_its_images(shop: Any, backend: Any) -> None:
    rows = shop.live["p00010"].rows
    mean = np.mean([from_bytes(row.vector) for row in rows], axis=0, dtype="f4")
    wanted = (WeightedProduct("p00010"),)
    answer = ask(shop, products=wanted, backend=backend, exact=True, limit=20)
    assert_same(answer.hits, shop.oracle(mean, leave_out=frozenset({"p00010"}))[:20])


def test_products_and_a_vector_are_weighed_together(shop: Any, spaces: Any, backend: Any) -> None:
    parts = (WeightedProduct("p00002", 2.0), WeightedProduct("p00007", -0.5))
    vector = queries()[6]
    means = [
        np.mean([from_bytes(row.vector) for row in shop.live[p.product_id].rows], axis=0)
        for p in parts
    ]
    first, second = (unit_spaces(mean.astype("f4"), spaces) for mean in means)
    whole = unit_spaces(vector, spaces) + 2 * first - np.float32(0.5) * second
    answer = ask(shop, vector, products=parts, backend=backend, exact=True, limit=20)
    left_out = frozenset({"p00002", "p00007"})
    assert_same(answer.hits, shop.oracle(whole, leave_out=left_out)[:20])


def test_a_product_whose_vector_is_known_already_weighs_the_same(shop: Any, backend: Any) -> None:
    rows = shop.live["p00002"].rows
    mean = np.mean([from_bytes(row.vector) for row in rows], axis=0, dtype="f4")
    wanted: dict[str, Any] = {"backend": backend, "exact": True, "limit": 20}
    named = ask(shop, queries()[6], products=(WeightedProduct("p00002", -0.5),), **wanted)
    given = ask(
        shop,
        queries()[6],
        parts=(WeightedVector(mean.tobytes(), -0.5),),
        leave_out=frozenset({"p00002"}),
        **wanted,
    )
    assert keys(given.hits) == keys(named.hits)


def test_a_hit_tells_the_cosine_of_every_space(shop: Any, backend: Any) -> None:
    blend: Any = {"content": 0.5, "style": 0.3, "colour": 0.2}
    for hit in ask(shop, queries()[7], backend=backend, blend=blend, limit=5).hits:
        assert set(hit.spaces) == {"content", "style", "colour"}
        mean = sum(blend[name] * cosine for name, cosine in hit.spaces.items())
        assert hit.similarity == pytest.approx(mean, abs=1e-5)


def test_a_space_that_weighs_nothing_has_a_cosine_all_the_same(shop: Any, backend: Any) -> None:
    hit = ask(shop, queries()[0], backend=backend, blend={"style": 1.0}, limit=1).hits[0]
    assert hit.similarity == pytest.approx(hit.spaces["style"], abs=1e-5)
    assert hit.spaces["content"] != 0


@pytest.mark.parametrize("condition", [None, FILTERS["some"]], ids=["all", "filtered"])
def test_facets_count_every_product_once(shop: Any, backend: Any, condition: Filter | None) -> None:
    asked = tuple(
        FacetRequest(field, 3)
        for field in ("brand", "category", "in_stock", "tags", "custom.material")
    )
    found = ask(shop, queries()[0], backend=backend, filter=condition, facets=asked, limit=1).facets
    there = [
        entry.attributes
        for entry in shop.live.values()
        if condition is None or passes(condition, entry.attributes)
    ]
    truth = {
        "brand": [a.brand for a in there if a.brand],
        "category": [" > ".join(a.category) for a in there],
        "in_stock": ["true" if a.in_stock else "false" for a in there],
        "tags": [tag for a in there for tag in set(a.tags)],
        "custom.material": [str(a.custom["material"]) for a in there if a.custom],
    }
    for field, values in truth.items():
        counted = sorted((-values.count(v), v) for v in set(values))[:3]
        assert [(-f.count, f.value) for f in found[field]] == counted


def test_an_answer_tells_generation_and_time(shop: Any, backend: Any) -> None:
    answer = ask(shop, queries()[0], backend=backend)
    generation = 0 if backend == "elasticsearch" else 4  # it has none
    assert (answer.generation, answer.as_of) == (generation, 1_000)
    assert answer.rows_seen > 0


@pytest.mark.parametrize("product_id", ["p00003", "p09999"], ids=["deleted", "unknown"])
def test_a_product_without_live_rows_is_a_conflict(
    shop: Any, backend: Any, product_id: str
) -> None:
    with pytest.raises(Conflict, match=f"/v1/products/{product_id}/presence") as caught:
        ask(shop, products=(WeightedProduct(product_id),), backend=backend)
    assert caught.value.kind == "product_not_searchable"


def test_an_index_that_is_not_there_is_not_found(shop: Any, backend: Any) -> None:
    for changes in ({"index": "idx_other"}, {"tenant": "another"}):
        request: dict[str, Any] = {"tenant": "shop", "index": "idx_live", **changes}
        request["backend"] = backend
        with pytest.raises(NotFound):
            shop.searcher.search(SearchRequest(fingerprint="model-1", **request))
    with pytest.raises(NotFound):
        shop.searcher.backends("idx_other")


def test_vectors_of_another_model_are_refused(shop: Any, backend: Any) -> None:
    vector = queries()[0].tobytes()
    request = SearchRequest("shop", "idx_live", "model-2", vector=vector, backend=backend)
    with pytest.raises(Invalid, match="model-2"):
        shop.searcher.search(request)


@pytest.mark.parametrize(
    "changes",
    [
        {"vector": np.ones(41, dtype="f4")},
        {"vector": np.full(DIM, np.nan, dtype="f4")},
        {},
        {"vector": np.zeros(DIM, dtype="f4")},
        {"products": (WeightedProduct("p00002", 1.0), WeightedProduct("p00002", -1.0))},
        {"vector": np.ones(DIM, dtype="f4"), "blend": {}},
        {"vector": np.ones(DIM, dtype="f4"), "limit": 0},
        {"vector": np.ones(DIM, dtype="f4"), "facets": (FacetRequest("custom.size"),)},
    ],
    ids=["dim", "nan", "nothing", "zero", "cancelled", "blend", "limit", "facet"],
)
def test_a_query_that_makes_no_sense_is_refused(
    shop: Any, backend: Any, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        ask(shop, backend=backend, **changes)


def test_elasticsearch_that_is_not_configured_says_how(shop: Any) -> None:
    plain = replace(shop, searcher=shop.plain)
    with pytest.raises(NotConfigured, match="LOOKALIKE_ELASTICSEARCH=http"):
        ask(plain, queries()[0], backend="elasticsearch")
    states = {state.name: state for state in shop.plain.backends("idx_live")}
    assert not states["elasticsearch"].configured
    assert "LOOKALIKE_ELASTICSEARCH" in str(states["elasticsearch"].reason)


def test_backends_say_what_can_be_asked(shop: Any, backend: Any) -> None:
    states = {state.name: state for state in shop.searcher.backends("idx_live")}
    assert set(states) == {"exact", "faiss", "annoy", "elasticsearch"}
    assert states[backend].configured
    assert states[backend].healthy
