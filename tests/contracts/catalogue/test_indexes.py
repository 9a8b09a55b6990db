"""Indexes, the pointers that commits swap, and aliases."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.port import Catalogue
from shared.indexes import Alias, Index, Pointer
from shared.spaces import Space, Spaces


@pytest.fixture
def index() -> Index:
    spaces = Spaces("whole", (Space("content", 8, "f1"), Space("colour", 4, "f2")))
    return Index(
        index_id="one",
        tenant="shop",
        model="small",
        spaces=spaces,
        shards=4,
        targets=("segments", "elasticsearch"),
        declared=("size",),
        state="building",
        created=0,
    )


@pytest.fixture
def commit(catalogue: Catalogue) -> Callable[..., Pointer | None]:
    def swap(expected: int, manifest: str | None, **more: Any) -> Pointer | None:
        return catalogue.indexes.swap(
            "one", 0, expected=expected, manifest=manifest, as_of=5, **more
        )

    return swap


def test_an_index_comes_back_dated_by_the_stores_clock(
    catalogue: Catalogue, index: Index, clock: Any
) -> None:
    made = catalogue.indexes.create(index)
    assert made == replace(index, created=clock())
    assert catalogue.indexes.get("one") == made
    assert catalogue.indexes.get("gone") is None


def test_an_index_says_by_itself_that_it_is_being_built(
    catalogue: Catalogue, index: Index, clock: Any
) -> None:
    # rule: index_is_state
    first = catalogue.indexes.create(index)
    clock.advance(1)
    assert catalogue.indexes.create(replace(index, shards=9)) == first
    assert first.state == "building"
    catalogue.indexes.set_state("one", "ready")
    assert catalogue.indexes.create(index) == replace(first, state="ready")
    assert catalogue.indexes.get("one") == replace(first, state="ready")


def test_indexes_are_listed_for_a_tenant_or_for_all(
    catalogue: Catalogue, index: Index, clock: Any
) -> None:
    for name, tenant in (("b", "shop"), ("a", "shop"), ("c", "other")):
        catalogue.indexes.create(replace(index, index_id=name, tenant=tenant))
        clock.advance(1)
    assert [found.index_id for found in catalogue.indexes.all("shop")] == ["b", "a"]
    assert [found.index_id for found in catalogue.indexes.all()] == ["b", "a", "c"]


def test_a_dropped_index_takes_its_pointers_along(
    catalogue: Catalogue, index: Index, commit: Callable[..., Pointer | None]
) -> None:
    catalogue.indexes.create(index)
    commit(0, "m1")
    catalogue.indexes.report("one", 0, "pod", 1)
    catalogue.indexes.drop("one")
    assert catalogue.indexes.get("one") is None
    assert catalogue.indexes.pointer("one", 0) == Pointer("one", 0)
    assert commit(1, "m2") is None, "whoever still commits to it has lost"


def test_a_pointer_moves_only_from_the_generation_that_was_read(
    catalogue: Catalogue, commit: Callable[..., Pointer | None]
) -> None:
    assert catalogue.indexes.pointer("one", 0) == Pointer("one", 0)
    assert commit(1, "m1") is None
    assert commit(0, "m1") == Pointer("one", 0, 1, "m1", 5)
    assert commit(0, "m2") is None
    assert commit(1, None) == Pointer("one", 0, 2, None, 5)
    assert catalogue.indexes.pointer("one", 0) == Pointer("one", 0, 2, None, 5)
    assert catalogue.indexes.pointer("one", 1).generation == 0


def test_a_rebuild_lasts_until_its_own_end_is_told(
    catalogue: Catalogue, commit: Callable[..., Pointer | None]
) -> None:
    # rule: rebuild_is_state
    commit(0, "m1")
    emptied = commit(1, None, emptied=True)
    assert emptied == Pointer("one", 0, 2, None, 5, rebuilding=2)
    commit(2, "m2")
    assert catalogue.indexes.pointer("one", 0).rebuilding == 2
    again = commit(3, None, emptied=True)
    assert again is not None
    assert again.rebuilding == 4
    catalogue.indexes.rebuilt("one", 0, 2)
    assert catalogue.indexes.pointer("one", 0).rebuilding == 4
    catalogue.indexes.rebuilt("one", 0, 4)
    assert catalogue.indexes.pointer("one", 0) == replace(again, rebuilding=None)


def test_readers_report_what_they_show(
    catalogue: Catalogue, commit: Callable[..., Pointer | None], clock: Any
) -> None:
    first = clock()
    catalogue.indexes.report("one", 0, "pod-a", 1)
    catalogue.indexes.report("one", 0, "pod-b", 1)
    later = clock.advance(9)
    catalogue.indexes.report("one", 0, "pod-a", 2)
    pointer = commit(0, "m1")
    assert pointer is not None
    assert pointer.replicas == {"pod-a": (2, later), "pod-b": (1, first)}
    catalogue.indexes.forget_replica("one", 0, "pod-a")
    assert catalogue.indexes.pointer("one", 0).replicas == {"pod-b": (1, first)}
    assert catalogue.indexes.pointer("one", 1).replicas == {}


def test_an_alias_moves_from_the_version_that_was_read(catalogue: Catalogue) -> None:
    def move(index_id: str, expected: int | None = None) -> Alias | None:
        return catalogue.indexes.move_alias("shop", "live", index_id, expected=expected)

    assert catalogue.indexes.alias("shop", "live") is None
    assert move("one", expected=1) is None
    assert move("one", expected=0) == Alias("shop", "live", "one", 1)
    assert move("two", expected=0) is None
    assert move("two", expected=1) == Alias("shop", "live", "two", 2)
    assert move("one") == Alias("shop", "live", "one", 3)
    assert catalogue.indexes.alias("shop", "live") == Alias("shop", "live", "one", 3)
    assert catalogue.indexes.alias("other", "live") is None
