"""Imports, their chunks, and what was given up on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.port import Catalogue
from shared.jobs import Chunk, Counters, DeadLetter, Import, JobState, Options, Tally

MINUTE = 60_000


@pytest.fixture
def start(catalogue: Catalogue) -> Callable[..., Import]:
    """An import that runs, with as many chunks as asked for."""

    def create(import_id: str = "i", *, chunks: int = 0, **changes: Any) -> Import:
        new = Import(import_id, "shop", "bson", "uploads/x", 900, created=0, state="running")
        made = catalogue.imports.create(replace(new, **changes))
        planned = [chunk(import_id, number) for number in range(chunks)]
        catalogue.imports.planned(import_id, planned, scanned=100 * chunks)
        return made

    return create


def chunk(import_id: str, number: int) -> Chunk:
    return Chunk(import_id, number, offset=100 * number, length=100, records=64)


def numbers(catalogue: Catalogue, import_id: str = "i", limit: int = 10) -> list[int]:
    return [found.number for found in catalogue.imports.waiting(import_id, limit)]


def test_an_import_is_created_by_the_stores_clock(catalogue: Catalogue, clock: Any) -> None:
    new = Import(
        "i",
        "shop",
        "bson",
        "file:/data/train.bson",
        900,
        created=1,
        state="queued",
        options=Options(mapping={"id": "sku"}, categories="blob", limit=10, mode="replace"),
        detail="Waits.",
        findings={"dialect": {"delimiter": ";"}},
    )
    made = catalogue.imports.create(new)
    assert made == replace(new, created=clock(), updated=clock())
    assert catalogue.imports.get("i") == made
    assert catalogue.imports.get("gone") is None


def test_an_import_created_again_stays_what_it_was(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    first = start(source="first")
    clock.advance(5)
    assert start(source="second").created == first.created
    assert start(source="second").source == "first"


def test_recent_imports_are_the_latest_first(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    for name in "abc":
        start(name)
        clock.advance(1)
    start("theirs", tenant="other")
    assert [found.import_id for found in catalogue.imports.recent("shop", 2)] == ["c", "b"]


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("queued", True),
        ("running", True),
        ("paused", True),
        ("succeeded", False),
        ("partially_succeeded", False),
        ("failed", False),
        ("cancelled", False),
    ],
)
def test_an_import_is_unfinished_until_its_state_says_so(
    catalogue: Catalogue, start: Callable[..., Import], state: JobState, *, counts: bool
) -> None:
    # rule: tombstone_outlives_imports
    start()
    catalogue.imports.set_state("i", state, "Because.")
    found = catalogue.imports.get("i")
    assert found is not None
    assert (found.state, found.detail) == (state, "Because.")
    assert catalogue.imports.unfinished() == ([found] if counts else [])


def test_unfinished_imports_of_all_tenants_are_the_oldest_first(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    for name, tenant in (("z", "shop"), ("y", "other"), ("x", "shop")):
        start(name, tenant=tenant)
        clock.advance(1)
    assert [found.import_id for found in catalogue.imports.unfinished()] == ["z", "y", "x"]


def test_a_plan_goes_on_and_leaves_known_chunks_alone(
    catalogue: Catalogue, start: Callable[..., Import]
) -> None:
    start(chunks=2)
    catalogue.imports.finish("i", 1, Counters(imported=64))
    again = [chunk("i", 1), chunk("i", 2)]
    catalogue.imports.planned("i", again[1:], scanned=300)
    assert [c.state for c in catalogue.imports.chunks("i")] == ["waiting", "done", "waiting"]
    found = catalogue.imports.get("i")
    assert found is not None
    assert (found.scanned, found.chunks, found.records) == (300, 3, 3 * 64)
    catalogue.imports.planned("i", again, scanned=300)
    catalogue.imports.planned("i", [], scanned=100)
    assert catalogue.imports.get("i") == found, "a planner that woke up late takes nothing back"
    assert [c.state for c in catalogue.imports.chunks("i")] == ["waiting", "done", "waiting"]


def test_a_plan_is_whole_once_that_was_said(
    catalogue: Catalogue, start: Callable[..., Import]
) -> None:
    assert not start().planned
    catalogue.imports.planned_wholly("i")
    found = catalogue.imports.get("i")
    assert found is not None
    assert found.planned


def test_a_state_changes_only_from_the_states_that_were_named(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    start()
    clock.advance(5)
    waits: JobState = "paused"
    assert not catalogue.imports.set_state("i", "running", origins=(waits,))
    assert catalogue.imports.set_state("i", waits, "Wait.", origins=("queued", "running"))
    assert not catalogue.imports.set_state("gone", "paused")
    found = catalogue.imports.get("i")
    assert found is not None
    assert (found.state, found.detail, found.updated) == ("paused", "Wait.", clock())


def test_findings_are_added_and_replaced_by_name(
    catalogue: Catalogue, start: Callable[..., Import]
) -> None:
    start(findings={"dialect": {"delimiter": ";"}})
    catalogue.imports.note("i", {"deleted": 3, "categories": [["Home > Lamps. Old", 2]]})
    catalogue.imports.note("i", {"deleted": 4})
    found = catalogue.imports.get("i")
    assert found is not None
    assert found.findings == {
        "dialect": {"delimiter": ";"},
        "deleted": 4,
        "categories": [["Home > Lamps. Old", 2]],
    }


def test_a_tally_adds_up_what_chunks_say(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    assert catalogue.imports.tally("gone") == Tally()
    start(chunks=4)
    start("other", chunks=1)
    catalogue.imports.finish("i", 0, Counters(imported=60, failed=4, created=50, pictures=90))
    since = clock.advance(10)
    catalogue.imports.finish("i", 1, Counters(unchanged=63, left_out=1, embedded=7))
    catalogue.imports.give_up("i", 2, Counters(failed=64))
    summed = Counters(
        imported=60, failed=68, created=50, pictures=90, unchanged=63, left_out=1, embedded=7
    )
    assert summed.read == 3 * 64
    assert catalogue.imports.tally("i", since) == Tally(summed, 1, 2, 1, lately=128)


def test_the_categories_of_all_chunks_are_added_up(
    catalogue: Catalogue, start: Callable[..., Import]
) -> None:
    start(chunks=3)
    assert catalogue.imports.categories("i") == {}
    catalogue.imports.finish("i", 0, Counters(imported=3), {"Home > Dr. Lamp": 2, "$x": 1})
    catalogue.imports.finish("i", 1, Counters(imported=1), {"Home > Dr. Lamp": 1})
    assert catalogue.imports.categories("i") == {"Home > Dr. Lamp": 3, "$x": 1}
    assert catalogue.imports.chunks("i")[0].categories == {"Home > Dr. Lamp": 2, "$x": 1}


def test_an_import_is_open_while_a_chunk_is_to_be_done(
    catalogue: Catalogue, start: Callable[..., Import]
) -> None:
    start(chunks=2)
    catalogue.imports.claim("i", 0, MINUTE)
    catalogue.imports.finish("i", 1, Counters())
    assert catalogue.imports.open("i"), "what is claimed is not done"
    catalogue.imports.give_up("i", 0, Counters())
    assert not catalogue.imports.open("i")
    assert not catalogue.imports.open("gone")


def test_failed_chunks_and_those_that_hold_an_offset_are_done_again(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    start(chunks=5)
    start("other", chunks=5)
    for number in (0, 1, 2):
        catalogue.imports.claim("i", number, MINUTE)
        catalogue.imports.finish("i", number, Counters(imported=64))
    catalogue.imports.claim("i", 3, MINUTE)
    catalogue.imports.give_up("i", 3, Counters(failed=64))
    catalogue.imports.give_up("other", 3, Counters(failed=64))
    assert catalogue.imports.reopen("i", [100, 150, 250]) == 3
    assert numbers(catalogue) == [1, 2, 3, 4]
    assert numbers(catalogue, "other") == [0, 1, 2, 4]
    again = catalogue.imports.claim("i", 3, MINUTE)
    assert again is not None
    assert again.attempts == 1
    catalogue.imports.finish("i", 3, Counters(imported=64))
    assert catalogue.imports.tally("i").counters == Counters(imported=4 * 64)


def test_a_claimed_chunk_is_its_holders_until_the_lease_is_over(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    start(chunks=2)
    taken = catalogue.imports.claim("i", 0, MINUTE)
    assert taken == replace(chunk("i", 0), attempts=1, lease_until=clock() + MINUTE)
    assert catalogue.imports.claim("i", 0, MINUTE) is None
    assert numbers(catalogue) == [1]
    clock.advance(MINUTE + 1)
    assert numbers(catalogue) == [1, 0], "fewest attempts first"
    assert numbers(catalogue, limit=1) == [1]
    again = catalogue.imports.claim("i", 0, MINUTE)
    assert again is not None
    assert again.attempts == 2


@pytest.mark.parametrize("state", ["queued", "paused", "cancelled", "succeeded"])
def test_chunks_of_an_import_that_does_not_run_are_not_claimed(
    catalogue: Catalogue, start: Callable[..., Import], state: JobState
) -> None:
    start(chunks=1)
    catalogue.imports.set_state("i", state)
    assert catalogue.imports.claim("i", 0, MINUTE) is None
    catalogue.imports.set_state("i", "running")
    assert catalogue.imports.claim("i", 0, MINUTE) is not None


def test_what_is_done_or_given_up_is_not_claimed(
    catalogue: Catalogue, start: Callable[..., Import], clock: Any
) -> None:
    start(chunks=3)
    counters = Counters(imported=1, unchanged=2, superseded=3, duplicate=4, failed=5, embedded=6)
    catalogue.imports.claim("i", 0, MINUTE)
    catalogue.imports.finish("i", 0, counters)
    catalogue.imports.give_up("i", 1, Counters(failed=64))
    clock.advance(2 * MINUTE)
    assert numbers(catalogue) == [2]
    assert [catalogue.imports.claim("i", number, MINUTE) for number in (0, 1, 9)] == [None] * 3
    done, failed, waiting = catalogue.imports.chunks("i")
    assert (done.state, done.counters, done.ended) == ("done", counters, clock() - 2 * MINUTE)
    assert (failed.state, failed.counters.read) == ("failed", 64)
    assert waiting == chunk("i", 2)


def test_what_is_done_stays_done(catalogue: Catalogue, start: Callable[..., Import]) -> None:
    start(chunks=1)
    catalogue.imports.finish("i", 0, Counters(imported=64))
    catalogue.imports.give_up("i", 0, Counters(failed=64))
    (found,) = catalogue.imports.chunks("i")
    assert (found.state, found.counters) == ("done", Counters(imported=64))


def letter(key: str, **changes: Any) -> DeadLetter:
    made = DeadLetter(key, "shop", "record", "bad", "It is broken.", 5, source=("i", 100))
    return replace(made, **changes)


def test_a_dead_letter_comes_back_as_it_was_put(catalogue: Catalogue) -> None:
    letters = [letter("a"), letter("b", source=None, kind="image")]
    for one in letters:
        catalogue.dead.put([one])
    assert catalogue.dead.page("shop") == letters
    assert catalogue.dead.page("other") == []


def test_the_same_dead_letter_again_counts_an_attempt(catalogue: Catalogue) -> None:
    catalogue.dead.put([letter("a")])
    catalogue.dead.put([letter("a", detail="Still broken.", first_seen=9)])
    assert catalogue.dead.page("shop") == [letter("a", detail="Still broken.", attempts=2)]


def test_dead_letters_are_paged_by_key_and_narrowed_to_an_import(catalogue: Catalogue) -> None:
    for key, source in (("c", "i"), ("a", "i"), ("b", "j"), ("d", "i")):
        catalogue.dead.put([letter(key, source=(source, 1))])

    def keys(**narrowed: Any) -> list[str]:
        return [one.key for one in catalogue.dead.page("shop", **narrowed)]

    assert keys() == ["a", "b", "c", "d"]
    assert keys(after="b", limit=1) == ["c"]
    assert keys(source="i", after="a") == ["c", "d"]


def test_dropping_dead_letters_says_how_many_there_were(catalogue: Catalogue) -> None:
    for key in "abc":
        catalogue.dead.put([letter(key)])
    assert catalogue.dead.drop("other", ["a"]) == 0
    assert catalogue.dead.drop("shop", ["a", "c", "gone"]) == 2
    assert [one.key for one in catalogue.dead.page("shop")] == ["b"]
