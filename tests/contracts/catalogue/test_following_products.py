"""What backends, sweepers and audits ask of products."""

from collections.abc import Callable
from typing import Any

from shared.catalogue.port import Catalogue
from shared.catalogue.products import BucketDigest, Outcome
from shared.products import BUCKETS, Attributes, Product, bucket_of, revision_digest

ALL = range(BUCKETS)
SEGMENTS = "one/segments"
BOTH = frozenset({SEGMENTS, "one/elasticsearch"})
A, B = "a" * 64, "b" * 64
Put = Callable[..., Outcome]


def stored(catalogue: Catalogue, product_id: str = "p") -> Product:
    return catalogue.products.get("shop", [product_id])[product_id]


def waiting(catalogue: Catalogue, **narrowed: Any) -> list[str]:
    said: dict[str, Any] = {"buckets": ALL, "limit": 100}
    return catalogue.products.pending("shop", SEGMENTS, **(said | narrowed))


def mark(catalogue: Catalogue, target: str = SEGMENTS, product_id: str = "p") -> list[str]:
    revision = stored(catalogue, product_id).revision
    return catalogue.products.mark("shop", target, [(product_id, revision)])


def test_urgent_products_are_first_and_then_it_goes_by_id(catalogue: Catalogue, put: Put) -> None:
    for product_id in ("d", "b", "a"):
        put(product_id)
    for product_id in ("e", "c"):
        put(product_id, urgent=True)
    put("x", tenant="other")
    assert waiting(catalogue) == ["c", "e", "a", "b", "d"]
    assert waiting(catalogue, limit=3) == ["c", "e", "a"]
    assert waiting(catalogue, after="b") == ["c", "e", "d"]
    assert waiting(catalogue, after="e") == []


def test_a_product_becomes_urgent_while_it_waits(catalogue: Catalogue, put: Put) -> None:
    for product_id in ("a", "b", "c"):
        put(product_id)
    put("c", urgent=True)
    put("b", title="Better", urgent=True)
    assert waiting(catalogue) == ["b", "c", "a"]


def test_pending_is_narrowed_to_a_shards_buckets(catalogue: Catalogue, put: Put) -> None:
    ids = [f"product-{number:02}" for number in range(40)]
    for product_id in ids:
        put(product_id)
    half = range(BUCKETS // 2)
    low = [product_id for product_id in ids if bucket_of("shop", product_id) in half]
    assert 0 < len(low) < len(ids)
    assert waiting(catalogue, buckets=half) == low
    assert waiting(catalogue, buckets=half, limit=2) == low[:2]
    bucket = bucket_of("shop", ids[7])
    assert ids[7] in waiting(catalogue, buckets=range(bucket, bucket + 1))
    assert ids[7] not in waiting(catalogue, buckets=range(bucket))


def test_a_mark_takes_one_target_off(catalogue: Catalogue, put: Put) -> None:
    put()
    revision = stored(catalogue).revision
    assert mark(catalogue) == []
    after = stored(catalogue)
    assert (after.indexed, after.pending) == ({SEGMENTS: revision}, BOTH - {SEGMENTS})
    assert after.pending_since is not None
    assert waiting(catalogue) == []
    assert mark(catalogue, "one/elasticsearch") == []
    assert stored(catalogue).pending_since is None


def test_a_mark_of_what_moved_on_does_nothing_and_says_so(catalogue: Catalogue, put: Put) -> None:
    # rule: guarded_mark
    for product_id in ("p", "q"):
        put(product_id)
    read = [(name, stored(catalogue, name).revision) for name in ("p", "q")]
    put(title="Better")
    assert catalogue.products.mark("shop", SEGMENTS, [*read, ("gone", 1)]) == ["p", "gone"]
    assert (stored(catalogue).pending, stored(catalogue).indexed) == (BOTH, {})
    assert waiting(catalogue) == ["p"]


def test_putting_back_makes_every_target_that_has_it_follow_again(
    catalogue: Catalogue, put: Put
) -> None:
    # rule: mark_puts_back
    put()
    revision = stored(catalogue).revision
    for target in BOTH:
        mark(catalogue, target)
    assert catalogue.products.put_back("shop", "one/elasticsearch", "p")
    after = stored(catalogue)
    assert (after.revision, after.pending) == (revision + 1, BOTH)
    assert (after.version, after.images_revision) == (1, revision)
    assert not catalogue.products.put_back("shop", "one/elasticsearch", "gone")


def test_a_vector_that_arrives_bumps_every_product_that_shows_the_image(
    catalogue: Catalogue, put: Put, delete: Put, clock: Any
) -> None:
    # rule: arrival_bumps
    put("p", images=(A, B))
    put("q", images=(B,))
    put("r", images=(A,))
    delete("r")
    put("s", images=(A,), tenant="other")
    before = catalogue.products.get("shop", "pqr")
    for product in before.values():
        for target in BOTH:
            mark(catalogue, target, product.product_id)
    later = clock.advance(1)
    bumped = catalogue.products.bump_showing("shop", [A], targets=BOTH, not_after=later)
    assert bumped == 2
    for name in "pr":
        after = stored(catalogue, name)
        assert after.revision == after.images_revision == before[name].revision + 1
        assert (after.pending, after.version) == (BOTH, before[name].version)
        assert after.written == before[name].written
    assert not stored(catalogue, "q").pending
    assert catalogue.products.bump_showing("shop", ["c" * 64], targets=BOTH, not_after=later) == 0


def test_images_that_come_together_bump_a_product_once(
    catalogue: Catalogue, put: Put, clock: Any
) -> None:
    put(images=(A, B))
    put("q", images=(B,))
    before = catalogue.products.get("shop", "pq")
    products, later = catalogue.products, clock() + 1
    assert products.bump_showing("shop", [A, B, "c" * 64], targets=BOTH, not_after=later) == 2
    for name in "pq":
        assert stored(catalogue, name).revision == before[name].revision + 1
    assert products.bump_showing("shop", [], targets=BOTH, not_after=later) == 0


def test_an_image_that_a_product_no_longer_shows_bumps_it_no_more(
    catalogue: Catalogue, put: Put, clock: Any
) -> None:
    put(images=(A, B))
    put(images=(B,))
    assert catalogue.products.bump_showing("shop", [A], targets=BOTH, not_after=clock()) == 0
    assert catalogue.products.bump_showing("shop", [B], targets=BOTH, not_after=clock()) == 1


def test_an_image_shown_twice_by_a_product_bumps_it_once(
    catalogue: Catalogue, put: Put, clock: Any
) -> None:
    put(images=(A, A))
    assert catalogue.products.bump_showing("shop", [A], targets=BOTH, not_after=clock()) == 1


def test_a_backfill_makes_products_pending_and_nothing_else(catalogue: Catalogue, put: Put) -> None:
    put()
    before = stored(catalogue)
    catalogue.products.add_pending("shop", frozenset({"two/segments"}), ["p", "gone"])
    after = stored(catalogue)
    assert (after.revision, after.pending) == (before.revision, BOTH | {"two/segments"})
    assert catalogue.products.pending("shop", "two/segments", ALL, 9) == ["p"]
    assert catalogue.products.get("shop", ["gone"]) == {}


def test_a_rebuild_forgets_what_was_indexed(catalogue: Catalogue, put: Put) -> None:
    put()
    for target in BOTH:
        mark(catalogue, target)
    before = stored(catalogue)
    catalogue.products.rebuild("shop", SEGMENTS, ["p", "gone"])
    after = stored(catalogue)
    assert after.revision == after.images_revision == before.revision + 1
    assert after.indexed == {"one/elasticsearch": before.revision}
    assert after.pending == BOTH


def test_a_dropped_index_is_forgotten_by_every_document(catalogue: Catalogue, put: Put) -> None:
    for name in ("p", "q"):
        put(name)
    put("theirs", tenant="other")
    mark(catalogue)
    catalogue.products.forget_targets("shop", frozenset({SEGMENTS}))
    documents = catalogue.products.page("shop")
    assert [dict(d.indexed) for d in documents] == [{}, {}]
    assert [d.pending for d in documents] == [BOTH - {SEGMENTS}] * 2
    assert waiting(catalogue) == []
    assert catalogue.products.count_pending(SEGMENTS)[0] == 1
    catalogue.products.forget_targets("shop", BOTH)
    assert [d.pending_since for d in catalogue.products.page("shop")] == [None, None]


def test_operations_on_many_products_reach_all_of_them(
    catalogue: Catalogue, write: Callable[..., Any]
) -> None:
    ids = [f"{number:04}" for number in range(600)]
    catalogue.products.upsert([write(product_id) for product_id in ids])
    documents = catalogue.products.get("shop", ids)
    done = [(name, documents[name].revision) for name in ids]
    assert catalogue.products.mark("shop", SEGMENTS, done) == []
    assert waiting(catalogue, limit=1000) == []
    catalogue.products.add_pending("shop", frozenset({SEGMENTS}), ids)
    assert waiting(catalogue, limit=1000) == ids
    catalogue.products.forget_targets("shop", BOTH)
    assert catalogue.products.count_pending("one/elasticsearch") == (0, None)


def test_an_image_is_shown_while_any_living_product_has_it(
    catalogue: Catalogue, put: Put, delete: Put
) -> None:
    put("p", images=(A,))
    put("q", images=(A, B))
    assert catalogue.products.shown("shop", A)
    assert not catalogue.products.shown("other", A)
    delete("p")
    assert catalogue.products.shown("shop", A)
    delete("q")
    assert not catalogue.products.shown("shop", A)
    put("p", images=(B,))
    assert not catalogue.products.shown("shop", A)
    assert catalogue.products.shown("shop", B)


def test_the_living_products_that_show_an_image_are_told_by_id(
    catalogue: Catalogue, put: Put, delete: Put
) -> None:
    for product_id in ("c", "a", "gone", "b"):
        put(product_id, images=(A, B) if product_id == "a" else (A,))
    put("theirs", tenant="other", images=(B,))
    delete("gone")
    found = catalogue.products.showing("shop", [A, B, "f" * 64], each=9)
    assert found == {A: ["a", "b", "c"], B: ["a"], "f" * 64: []}
    assert catalogue.products.showing("shop", [A], each=2) == {A: ["a", "b"]}


def test_a_tombstone_is_offered_for_removal_once_every_target_confirmed_it(
    catalogue: Catalogue, put: Put, delete: Put, clock: Any
) -> None:
    # rule: tombstone_confirmed
    put("living")
    put()
    delete()
    buried, later = clock(), clock.advance(1)
    assert catalogue.products.tombstones(later, 10) == []
    mark(catalogue)
    assert catalogue.products.tombstones(later, 10) == []
    mark(catalogue, "one/elasticsearch")
    assert catalogue.products.tombstones(buried, 10) == []
    assert catalogue.products.tombstones(later, 10) == [stored(catalogue)]


def test_a_tombstone_goes_only_as_it_was_read_and_with_nothing_pending(
    catalogue: Catalogue, put: Put, delete: Put
) -> None:
    # rule: removal_guarded
    put()
    delete()
    read = stored(catalogue)

    def remove(**other: int) -> bool:
        guard = {"revision": read.revision, "written": read.written} | other
        return catalogue.products.remove("shop", "p", **guard)

    assert not remove()
    for target in BOTH:
        mark(catalogue, target)
    assert not remove(revision=read.revision - 1)
    assert not remove(written=read.written - 1)
    catalogue.products.add_pending("shop", frozenset({"two/segments"}), ["p"])
    assert not remove()
    catalogue.products.forget_targets("shop", frozenset({"two/segments"}))
    assert remove()
    assert not remove()
    assert catalogue.products.page("shop") == []


def test_a_living_product_is_never_removed(catalogue: Catalogue, put: Put) -> None:
    put()
    for target in BOTH:
        mark(catalogue, target)
    read = stored(catalogue)
    assert not catalogue.products.remove("shop", "p", revision=read.revision, written=read.written)


def test_what_comes_after_a_removal_is_newer_than_what_was_before_it(
    catalogue: Catalogue, put: Put, delete: Put, clock: Any
) -> None:
    # rule: revision_from_clock
    put()
    delete()
    for target in BOTH:
        mark(catalogue, target)
    old = stored(catalogue)
    assert catalogue.products.remove("shop", "p", revision=old.revision, written=old.written)
    assert catalogue.products.bump_showing("shop", [A], targets=BOTH, not_after=clock()) == 0
    clock.advance(24 * 3_600_000)
    assert put().status == "created"
    assert stored(catalogue).version == 1
    assert stored(catalogue).revision > old.revision


def test_digests_cover_what_a_target_has_confirmed(
    catalogue: Catalogue, put: Put, delete: Put
) -> None:
    for name in ("p", "q", "pending", "urgent", "dead"):
        put(name, urgent=name == "urgent")
    delete("dead")
    for name in ("p", "q", "dead"):
        mark(catalogue, SEGMENTS, name)
    expected: dict[int, list[int]] = {}
    for name in ("p", "q"):
        product = stored(catalogue, name)
        digest = revision_digest(name, product.revision)
        expected.setdefault(product.bucket, []).append(digest)
    assert catalogue.products.digests("shop", SEGMENTS, ALL) == [
        BucketDigest(bucket, len(parts), sum(parts) % 2**63)
        for bucket, parts in sorted(expected.items())
    ]
    bucket = bucket_of("shop", "p")
    assert [d.bucket for d in catalogue.products.digests("shop", SEGMENTS, range(bucket))] == [
        b for b in sorted(expected) if b < bucket
    ]


def test_the_digest_of_a_bucket_is_a_sum_modulo_two_to_the_63(
    catalogue: Catalogue, put: Put
) -> None:
    names: dict[int, list[str]] = {}
    for number in range(20_000):
        names.setdefault(bucket_of("shop", str(number)), []).append(str(number))
    bucket, crowd = max(names.items(), key=lambda item: len(item[1]))
    for name in crowd:
        put(name)
        mark(catalogue, SEGMENTS, name)
    (found,) = catalogue.products.digests("shop", SEGMENTS, range(bucket, bucket + 1))
    whole = sum(revision_digest(name, stored(catalogue, name).revision) for name in crowd)
    assert whole >= 2**63
    assert found == BucketDigest(bucket, len(crowd), whole % 2**63)


def test_counting_what_waits_also_says_since_when(
    catalogue: Catalogue, put: Put, clock: Any
) -> None:
    assert catalogue.products.count_pending(SEGMENTS) == (0, None)
    first = clock()
    put("p")
    clock.advance(1000)
    put("q", tenant="other")
    put("p", title="Changed while it waits")
    assert catalogue.products.count_pending(SEGMENTS) == (2, first)
    mark(catalogue)
    assert catalogue.products.count_pending(SEGMENTS) == (1, clock())
    assert catalogue.products.count_pending("one/elasticsearch") == (2, first)


def test_each_target_is_waited_for_since_its_own_time(
    catalogue: Catalogue, put: Put, clock: Any
) -> None:
    put()
    first = clock()
    mark(catalogue)
    later = clock.advance(1000)
    put(title="Changed, and one target has not even seen what was before")
    assert catalogue.products.count_pending(SEGMENTS) == (1, later)
    assert catalogue.products.count_pending("one/elasticsearch") == (1, first)


def test_pages_go_by_id_and_hold_tombstones(catalogue: Catalogue, put: Put, delete: Put) -> None:
    for name in ("c", "a", "é", "b", "Z"):
        put(name)
    delete("b")
    first = catalogue.products.page("shop", limit=3)
    rest = catalogue.products.page("shop", after=first[-1].product_id)
    assert [p.product_id for p in (*first, *rest)] == ["Z", "a", "b", "c", "é"]
    assert first[2].deleted


def test_only_what_is_there_is_got(catalogue: Catalogue, put: Put) -> None:
    put("p")
    assert set(catalogue.products.get("shop", ["p", "gone", "p"])) == {"p"}
    assert catalogue.products.get("shop", []) == {}


def test_products_are_counted_by_whole_category_path(
    catalogue: Catalogue, put: Put, delete: Put
) -> None:
    paths = [("Home", "Lamps"), ("Home", "Lamps"), ("Home",), (), ("Home", "Chairs")]
    for number, path in enumerate(paths):
        put(str(number), attributes=Attributes(title=str(number), category=path))
    delete("4")
    put("0", attributes=Attributes(category=("Garden",)))
    assert catalogue.products.categories("shop") == {
        ("Garden",): 1,
        ("Home", "Lamps"): 1,
        ("Home",): 1,
    }
    assert catalogue.products.count("shop") == 4
