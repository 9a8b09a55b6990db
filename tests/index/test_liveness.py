"""Who wins and whose rows live, against a brute-force dictionary of the rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.filters import Range, passes
from shared.index import columns, segment
from shared.index.entries import TOMBSTONE_AGE_MS, Entry, merge, winner_and_rows
from shared.index.manifest import SegmentRef
from shared.index.view import ShardView

Make = Callable[..., Entry]
Shown = dict[str, tuple[int, float | None, dict[str, bytes]]]
PRODUCTS = "pq"


@dataclass(frozen=True)
class Snapshot:
    """A product's document at one revision; images live from `images_revision` on."""

    revision: int
    images_revision: int
    deleted: bool
    images: tuple[int, ...]


@st.composite
def histories(draw: st.DrawFn) -> list[Snapshot]:
    found: list[Snapshot] = []
    images, images_revision, deleted = draw(_images), 1, False
    for revision in range(1, draw(st.integers(3, 7))):
        match draw(st.sampled_from(["price", "price", "images", "images", "delete"])):
            case "images":
                images, images_revision, deleted = draw(_images), revision, False
            case "delete":
                deleted = True
            case _:
                images_revision, deleted = (revision if deleted else images_revision), False
        found.append(Snapshot(revision, images_revision, deleted, images))
    return found


_images = st.lists(st.integers(0, 40), max_size=2, unique=True).map(tuple)


@st.composite
def shards(draw: st.DrawFn) -> list[dict[str, tuple[Snapshot, bool]]]:
    """Segments as syncs leave them: any revision at any time, bare only where rows came before."""
    documents = {pid: draw(histories()) for pid in PRODUCTS}
    indexed: dict[str, int] = {}
    segments = []
    for _ in range(draw(st.integers(2, 6))):
        written = {}
        for pid in draw(st.sets(st.sampled_from(PRODUCTS), min_size=1)):
            snapshot = draw(st.sampled_from(documents[pid]))
            known = indexed.get(pid, -1) >= snapshot.images_revision
            bare = snapshot.deleted or (known and draw(st.sampled_from([True, True, False])))
            written[pid] = snapshot, bare
        for pid, (snapshot, _) in written.items():
            indexed[pid] = max(indexed.get(pid, -1), snapshot.revision)
        segments.append(written)
    return segments


def _entries(made: dict[str, tuple[Snapshot, bool]], entry: Make) -> list[Entry]:
    return [
        entry(
            pid,
            s.revision,
            images=() if bare else s.images,
            images_revision=s.images_revision,
            deleted=s.deleted,
            price=float(s.revision),
        )
        for pid, (s, bare) in made.items()
    ]


def _expected(segments: Sequence[Sequence[Entry]]) -> Shown:
    """The rules once more, in the plainest words."""
    shown: Shown = {}
    for pid in {entry.product_id for entries in segments for entry in entries}:
        mine = [entry for entries in segments for entry in entries if entry.product_id == pid]
        winner = mine[0]
        for other in mine:
            if other.revision >= winner.revision:
                winner = other
        rows = None
        for other in mine:
            if other.rows and (rows is None or other.rows_at >= rows.rows_at):
                rows = other
        alive = rows is not None and rows.rows_at >= winner.images_revision
        if not winner.deleted:
            images = {r.sha256: r.vector for r in rows.rows} if rows and alive else {}
            shown[pid] = winner.revision, winner.attributes.price, images
    return shown


def _by_product(view: ShardView) -> Shown:
    shown: Shown = {}
    for pid, revision in view.products():
        product = view.product(pid)
        assert product is not None
        assert product.revision == revision
        codes = [vector.astype("<f2").tobytes() for vector in product.vectors]
        images = dict(zip(product.shas, codes, strict=True))
        shown[pid] = revision, product.attributes.price, images
    return shown


def _by_rows(view: ShardView) -> Shown:
    """What searches see: live rows, with their winner's revision and attributes."""
    shown: Shown = {}
    for part in view.segments:
        for number in np.flatnonzero(part.live).tolist():
            pid, sha256 = part.hit(number)
            price = part.attributes(number).price
            _, _, images = shown.setdefault(pid, (part.revision(number), price, {}))
            images[sha256] = part.vectors(np.array([number]))[0].astype("<f2").tobytes()
    return shown


def _compacted(
    refs: list[SegmentRef], view: ShardView, chosen: set[int], shard: Any, now: int
) -> list[SegmentRef]:
    """As the indexer does it: the merged segment stands where the last of its inputs stood."""
    standing = [p.segment for i, p in enumerate(view.segments) if i not in chosen]
    merged = merge(
        [view.segments[i].segment.entries() for i in sorted(chosen)],
        lambda pid: any(other.find(pid) is not None for other in standing),
        now,
        forgotten=set(),
    )
    kept = list(merged)
    made = [shard.segment(kept)] if kept else []
    last = max(chosen)
    before = [ref for i, ref in enumerate(refs[:last]) if i not in chosen]
    return [*before, *made, *refs[last + 1 :]]


@settings(max_examples=200, deadline=None)
@given(made=shards(), data=st.data())
def test_a_view_shows_what_the_rules_say_whatever_was_compacted(
    made: list[dict[str, tuple[Snapshot, bool]]], data: st.DataObject, shard: Any, entry: Make
) -> None:
    segments = [_entries(part, entry) for part in made]
    expected = _expected(segments)
    searchable = {pid: shown for pid, shown in expected.items() if shown[2]}
    refs: list[SegmentRef] = []
    view = None
    for entries in segments:
        refs.append(shard.segment(entries))
        view = shard.view(*refs, previous=view)
    for _ in range(data.draw(st.integers(0, 3))):
        assert view is not None
        if refs:
            chosen = data.draw(st.sets(st.sampled_from(range(len(refs))), min_size=1))
            now = data.draw(st.sampled_from([0, TOMBSTONE_AGE_MS + 1]))
            refs = _compacted(refs, view, chosen, shard, now)
        cold, view = shard.view(*refs), shard.view(*refs, previous=view)
        assert _by_rows(cold) == searchable
    assert view is not None
    assert _by_product(view) == expected
    assert _by_rows(view) == searchable
    assert view.live_rows == sum(len(images) for _, _, images in expected.values())
    condition = Range("price", gte=2.0, lt=4.0)
    passed = {p.hit(i)[0] for p in view.segments for i in np.flatnonzero(p.passing(condition))}
    assert passed == {pid for pid, (_, price, _) in searchable.items() if 2 <= (price or 0) < 4}


@settings(max_examples=300, deadline=None)
@given(made=shards())
def test_winner_and_rows_is_the_plain_rule(
    made: list[dict[str, tuple[Snapshot, bool]]], entry: Make
) -> None:
    segments = [_entries(part, entry) for part in made]
    for pid in PRODUCTS:
        mine = [e for entries in segments for e in entries if e.product_id == pid]
        if not mine:
            continue
        winner, rows = winner_and_rows(mine)
        shown = _expected([[e] for e in mine]).get(pid)
        if shown is None:
            assert winner.deleted
            assert rows is None
        else:
            images = {row.sha256: row.vector for row in rows.rows} if rows else {}
            assert (winner.revision, winner.attributes.price, images) == shown


def test_the_later_of_equal_revisions_wins(shard: Any, entry: Make) -> None:
    entries = [entry("p", 2, images=[n], images_revision=2, price=float(n)) for n in (1, 2)]
    winner, rows = winner_and_rows(entries)
    assert (winner, rows) == (entries[1], entries[1])
    product = shard.view(*(shard.segment([e]) for e in entries)).product("p")
    assert (product.attributes.price, product.shas) == (2.0, (f"{2:064x}",))


def test_of_many_price_changes_the_last_holds(shard: Any, entry: Make) -> None:
    refs = [shard.segment([entry("p", 1, images=[1], price=1.0)])]
    view = shard.view(*refs)
    for revision in (2, 3, 4):
        refs.append(shard.segment([entry("p", revision, price=float(revision))]))
        view = shard.view(*refs, previous=view)
        part = view.segments[0]
        assert part.attributes(0).price == float(revision)
        assert part.passing(Range("price", gte=float(revision))).all()
        assert not part.passing(Range("price", lt=float(revision))).any()


def test_a_segment_that_went_takes_its_word_along(shard: Any, entry: Make) -> None:
    first = shard.segment([entry("p", 1, images=[1], price=1.0), entry("q", 1, images=[2])])
    second = shard.segment([entry("p", 2, price=2.0), entry("q", 2, deleted=True)])
    view = shard.view(first, previous=shard.view(first, second))
    assert dict(view.products()) == {"p": 1, "q": 1}
    assert view.product("p").attributes.price == 1.0
    assert view.live_rows == 2


def test_a_late_writer_with_an_old_revision_changes_nothing(shard: Any, entry: Make) -> None:
    refs = [
        shard.segment([entry("p", 5, images=[1], images_revision=5, price=5.0)]),
        shard.segment([entry("p", 4, images=[2], images_revision=1, price=4.0)]),
    ]
    product = shard.view(*refs).product("p")
    assert (product.revision, product.attributes.price) == (5, 5.0)
    assert product.shas == (f"{1:064x}",)


def test_rows_older_than_the_winners_images_are_dead(shard: Any, entry: Make) -> None:
    first = shard.segment([entry("p", 1, images=[1])])
    second = shard.segment([entry("p", 2, images_revision=2)])
    view = shard.view(first, second)
    assert view.product("p").shas == ()
    assert (view.live_rows, view.dead_rows) == (0, 1)


@pytest.mark.parametrize(
    ("age", "elsewhere", "kept"),
    [(0, False, True), (TOMBSTONE_AGE_MS + 1, True, True), (TOMBSTONE_AGE_MS + 1, False, False)],
)
def test_a_tombstone_goes_only_when_old_and_alone(
    entry: Make, age: int, *, elsewhere: bool, kept: bool
) -> None:
    inputs = [[entry("p", 1, images=[1])], [entry("p", 2, deleted=True, committed=1_000)]]
    forgotten: set[str] = set()
    merged = merge(inputs, lambda _: elsewhere, 1_000 + age, forgotten=forgotten)
    assert [(e.revision, e.deleted, e.rows) for e in merged] == [(2, True, ())] * kept
    assert forgotten == (set() if kept else {"p"})


def test_merging_keeps_the_age_of_the_winner_and_the_revision_of_its_rows(entry: Make) -> None:
    inputs = [[entry("p", 1, images=[1], committed=10)], [entry("p", 2, price=2.0, committed=20)]]
    (merged,) = merge(inputs, lambda _: False, 30, forgotten=set())
    assert (merged.revision, merged.rows_at, merged.committed) == (2, 1, 20)
    assert len(merged.rows) == 1


def test_of_equal_revisions_the_later_input_of_a_merge_wins(entry: Make) -> None:
    inputs = [[entry("p", 1, title=title, images=[n])] for n, title in enumerate(("one", "two"))]
    (merged,) = merge(inputs, lambda _: False, 30, forgotten=set())
    assert merged.attributes.title == "two"
    assert merged.rows == inputs[1][0].rows


def test_products_whose_keys_collide_stay_two(
    shard: Any, entry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (columns, segment):
        monkeypatch.setattr(module, "key_of", lambda _: 7)
    refs = [
        shard.segment([entry("p", 1, images=[1]), entry("q", 1, images=[2])]),
        shard.segment([entry("q", 2, deleted=True), entry("r", 1, images=[3])]),
        shard.segment([entry("r", 2, price=2.0)]),
    ]
    view = None
    for n in range(1, 4):
        view = shard.view(*refs[:n], previous=view)
    assert view is not None
    assert dict(view.products()) == {"p": 1, "r": 2}
    assert view.product("q") is None
    assert view.product("r").attributes.price == 2.0
    assert view.product("r").shas == (f"{3:064x}",)
    assert view.live_rows == 2


def test_a_price_change_costs_nothing_but_its_own_product(shard: Any, entry: Make) -> None:
    base = shard.segment([entry(f"p{i}", 1, images=[i], price=1.0) for i in range(50)])
    other = shard.segment([entry(f"o{i}", 1, images=[i], price=1.0) for i in range(50)])
    before = shard.view(base, other)
    dear = Range("price", gte=10.0)
    assert not before.segments[0].passing(dear).any()
    kept = before.segments[0].segment.matching_rows(dear)
    change = shard.segment([entry("p3", 2, price=20.0)])
    after = shard.view(base, other, change, previous=before)
    part = after.segments[0]
    assert part.segment is before.segments[0].segment
    assert part.segment.matching_rows(dear) is kept
    assert part.live is before.segments[0].live
    assert after.segments[1].standing is before.segments[1].standing
    assert [part.hit(i)[0] for i in np.flatnonzero(part.passing(dear))] == ["p3"]
    assert passes(dear, part.attributes(int(np.flatnonzero(part.passing(dear))[0])))
