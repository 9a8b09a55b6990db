"""Indexes, the pointers that commits swap, and aliases."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.port import Catalogue
from shared.indexes import KEPT_MOVES, Alias, Index, Move, Pointer, Why
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
    def move(index_id: str, expected: int | None = None) -> tuple[str, int] | None:
        alias = catalogue.indexes.move_alias("shop", "live", index_id, expected=expected)
        return None if alias is None else (alias.index_id, alias.version)

    assert catalogue.indexes.alias("shop", "live") is None
    assert move("one", expected=1) is None
    assert move("one", expected=0) == ("one", 1)
    assert move("two", expected=0) is None
    assert move("two", expected=1) == ("two", 2)
    assert move("one") == ("one", 3)
    there = catalogue.indexes.alias("shop", "live")
    assert there is not None
    assert (there.index_id, there.version) == ("one", 3)
    assert catalogue.indexes.alias("other", "live") is None


def test_an_alias_remembers_its_moves(catalogue: Catalogue, clock: Any) -> None:
    first = clock()
    catalogue.indexes.move_alias("shop", "live", "one")
    later = clock.advance(7)
    why = Why("forced", by="key_1", reason="the sale begins", fingerprint="f2")
    moved = catalogue.indexes.move_alias("shop", "live", "two", why=why)
    assert moved == Alias(
        *("shop", "live", "two", 2), (Move("two", later, why), Move("one", first, Why()))
    )
    assert catalogue.indexes.alias("shop", "live") == moved


def test_an_alias_remembers_so_many_moves(catalogue: Catalogue) -> None:
    for number in range(KEPT_MOVES + 5):
        catalogue.indexes.move_alias("shop", "live", f"i{number}")
    alias = catalogue.indexes.alias("shop", "live")
    assert alias is not None
    assert [move.index_id for move in alias.moves] == [
        f"i{number}" for number in range(KEPT_MOVES + 4, 4, -1)
    ]


def test_aliases_are_listed_by_name(catalogue: Catalogue) -> None:
    for tenant, name in (("shop", "live"), ("shop", "canary"), ("other", "live"), ("sho", "x")):
        catalogue.indexes.move_alias(tenant, name, "one")
    assert [alias.name for alias in catalogue.indexes.aliases("shop")] == ["canary", "live"]
    assert [alias.tenant for alias in catalogue.indexes.aliases("shop")] == ["shop", "shop"]


def test_the_state_of_an_index_is_left_only_where_it_was_expected(
    catalogue: Catalogue, index: Index
) -> None:
    catalogue.indexes.create(index)
    assert not catalogue.indexes.set_state("one", "retired", origins=("ready",))
    assert catalogue.indexes.set_state("one", "ready", origins=("building", "ready"))
    assert catalogue.indexes.set_state("one", "retired")
    assert not catalogue.indexes.set_state("one", "ready", origins=("building",))
    found = catalogue.indexes.get("one")
    assert found is not None
    assert found.state == "retired"
    assert not catalogue.indexes.set_state("gone", "ready")


def test_an_index_keeps_which_alias_it_is_for(catalogue: Catalogue, index: Index) -> None:
    assert catalogue.indexes.create(replace(index, alias="live")).alias == "live"
    assert catalogue.indexes.create(replace(index, index_id="two")).alias is None
