"""Identity of products: buckets, shards, hashes."""

import hashlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.products import (
    BUCKETS,
    Attributes,
    Date,
    Origin,
    bucket_of,
    buckets_of,
    content_hash,
    revision_digest,
    shard_of,
)

shard_counts = st.integers(1, BUCKETS)


@given(shard_counts)
def test_the_buckets_of_a_shard_are_those_that_are_dealt_to_it(shards: int) -> None:
    dealt: dict[int, list[int]] = {shard: [] for shard in range(shards)}
    for bucket in range(BUCKETS):
        dealt[shard_of(bucket, shards)].append(bucket)
    assert {shard: list(buckets_of(shard, shards)) for shard in range(shards)} == dealt


@given(shard_counts)
def test_shards_cover_all_buckets_without_a_gap_and_are_of_one_size(shards: int) -> None:
    ranges = [buckets_of(shard, shards) for shard in range(shards)]
    assert (ranges[0].start, ranges[-1].stop) == (0, BUCKETS)
    assert all(one.stop == other.start for one, other in pairwise(ranges))
    sizes = {len(buckets) for buckets in ranges}
    assert max(sizes) - min(sizes) <= 1


@given(st.text(), st.text())
def test_a_bucket_is_a_number_below_the_count_of_buckets(tenant: str, product_id: str) -> None:
    assert bucket_of(tenant, product_id) in range(BUCKETS)


def test_the_bucket_of_a_product_never_changes() -> None:
    """Index files and audits rely on it: a change here is a new index format."""
    assert [bucket_of("shop", name) for name in ("a", "b", "ä")] == [1343, 2723, 4050]


def test_the_digest_of_a_revision_never_changes() -> None:
    """Catalogue and index compare sums of it."""
    expected = hashlib.blake2b(b"p:7", digest_size=8).digest()
    assert revision_digest("p", 7) == int.from_bytes(expected, "big")
    assert revision_digest("p", 7) != revision_digest("p", 8)
    assert revision_digest("p1", 7) != revision_digest("p", 17)


def test_the_hash_of_content_tells_any_difference_and_no_order() -> None:
    lamp = Attributes(title="Lamp", custom={"a": 1, "b": 2})
    assert content_hash(lamp, ("x",)) == content_hash(
        Attributes(title="Lamp", custom={"b": 2, "a": 1}), ("x",)
    )
    others = [
        content_hash(Attributes(title="Lamp", custom={"a": 1}), ("x",)),
        content_hash(lamp, ("y",)),
        content_hash(lamp, ("x", "y")),
        content_hash(lamp, ("y", "x")),
    ]
    assert len({content_hash(lamp, ("x",)), *others}) == 5


def test_a_record_is_dated_by_its_import_and_then_by_its_offset() -> None:
    first, second = (Origin("i", 100, offset).date for offset in (1, 2))
    assert Date(99) < Date(100) < first < second < Date(101)
