"""A process shows what the pointers say, and goes on showing what it has when it cannot."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from services.search.shards import REBUILDING, Shards
from shared.errors import Unavailable


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


def generation(shards: Shards, index: str = "idx", shard: int = 0) -> int:
    held = shards.get(index)
    view = held.shards[shard].view if held and shard in held.shards else None
    return view.generation if view else -1


def test_a_commit_is_shown_and_reported(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.commit(shelf.entries(1, 2))
    shards.refresh()
    assert generation(shards) == 1
    assert shelf.catalogue.indexes.pointer("idx", 0).replicas["r1"][0] == 1


def test_an_empty_index_is_shown_before_its_first_commit(shelf: Any, shards: Shards) -> None:
    shelf.index(shards=2)
    shards.refresh()
    assert [generation(shards, shard=n) for n in (0, 1)] == [0, 0]


def test_only_what_changed_is_opened(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.commit(shelf.entries(1))
    shards.refresh()
    first = shards.get("idx")
    shards.refresh()
    assert shards.get("idx") is first
    shelf.commit(shelf.entries(2))
    shards.refresh()
    before, after = first.shards[0].view, shards.get("idx").shards[0].view  # type: ignore[union-attr]
    assert before
    assert after
    assert after.segments[0].segment is before.segments[0].segment
    assert before.product("p2") is None  # what a search began with stays as it was


def test_a_dropped_index_is_let_go(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.index("other")
    shards.refresh()
    shelf.catalogue.indexes.drop("idx")
    shards.refresh()
    assert shards.get("idx") is None
    assert shards.get("other") is not None


def test_a_process_holds_its_own_shards_only(shelf: Any) -> None:
    shelf.index(shards=4)
    shards = Shards(shelf.catalogue, shelf.blobs, replica="r2", group=1, groups=2)
    shards.refresh()
    held = shards.get("idx")
    assert held is not None
    assert set(held.shards) == {1, 3}
    shards.close()


def test_a_shard_that_cannot_be_opened_serves_its_last_good_view(
    shelf: Any, shards: Shards
) -> None:
    shelf.index()
    shelf.commit(shelf.entries(1))
    shards.refresh()
    shelf.point("idx", 0, "tenants/shop/indexes/idx/shard-0/nowhere.json")
    shards.refresh()
    shard = shards.get("idx").shards[0]  # type: ignore[union-attr]
    assert generation(shards) == 1
    assert "generation 2 cannot be opened" in str(shard.trouble)
    assert shelf.catalogue.indexes.pointer("idx", 0).replicas["r1"][0] == 1


def test_one_shard_that_breaks_stops_no_other(
    shelf: Any, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index("a")
    shelf.index("b")
    shelf.commit(shelf.entries(1), "a")
    shelf.commit(shelf.entries(1), "b")
    real = shelf.blobs.local

    def local(key: str) -> Any:
        if "/a/" in key:
            raise OSError(24, "Too many open files")
        return real(key)

    monkeypatch.setattr(shelf.blobs, "local", local)
    shards.refresh()
    assert generation(shards, "b") == 1
    assert "Too many open files" in str(shards.get("a").shards[0].trouble)  # type: ignore[union-attr]


def test_a_shard_is_whole_again_after_the_next_good_commit(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.commit(shelf.entries(1))
    good = shelf.catalogue.indexes.pointer("idx", 0).manifest
    shelf.point("idx", 0, "tenants/shop/indexes/idx/shard-0/nowhere.json")
    shards.refresh()
    shelf.point("idx", 0, good)
    shards.refresh()
    assert shards.get("idx").shards[0].trouble is None  # type: ignore[union-attr]
    assert generation(shards) == 3


def test_a_damaged_segment_is_told_and_the_rest_serves(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.commit(shelf.entries(1))
    shelf.commit(shelf.entries(2))
    (damaged,) = (shelf.folder / "blobs").rglob("seg-2.arrow")
    damaged.write_bytes(b"no segment")
    shards.refresh()
    shard = shards.get("idx").shards[0]  # type: ignore[union-attr]
    assert "1 damaged" in str(shard.trouble)
    assert shard.view is not None
    assert shard.view.product("p1")
    assert not shard.view.product("p2")


def test_a_started_process_follows_by_itself(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shards.start()
    assert generation(shards) == 0
    shelf.commit(shelf.entries(1))
    until(lambda: generation(shards) == 1)
    shelf.index("fresh")
    until(lambda: generation(shards, "fresh") == 0)


def test_a_notice_is_heard_at_once(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.search.shards.POLL_SECONDS", 60)
    shelf.index()
    shards = Shards(shelf.catalogue, shelf.blobs, replica="r3")
    shards.start()
    shelf.commit(shelf.entries(1))
    shards.notice("idx", 0)
    until(lambda: generation(shards) == 1)
    shards.close()


def test_what_is_held_is_shown_while_the_catalogue_is_away(
    shelf: Any, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index()
    shards.start()
    asked = []

    def away() -> None:
        asked.append(1)
        raise Unavailable("the catalogue is away")

    with monkeypatch.context() as patched:
        patched.setattr(shelf.catalogue.indexes, "all", away)
        until(lambda: len(asked) > 1)
        assert generation(shards) == 0
    shelf.commit(shelf.entries(1))
    until(lambda: generation(shards) == 1)


def test_a_closed_process_is_no_reader_any_more(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shards.start()
    assert "r1" in shelf.catalogue.indexes.pointer("idx", 0).replicas
    shards.close()
    assert "r1" not in shelf.catalogue.indexes.pointer("idx", 0).replicas
    assert shards.get("idx") is None


def test_a_shard_that_is_being_rebuilt_answers_as_it_was_before(shelf: Any, shards: Shards) -> None:
    shelf.index()
    shelf.commit(shelf.entries(1))
    shards.refresh()
    emptied = shelf.catalogue.indexes.swap(
        "idx", 0, expected=1, manifest=None, as_of=0, emptied=True
    )
    shards.refresh()
    held = shards.get("idx")
    assert held
    assert held.shards[0].trouble == REBUILDING
    assert held.shards[0].view
    assert held.shards[0].view.product("p1")
    shelf.catalogue.indexes.rebuilt("idx", 0, emptied.rebuilding)
    shards.refresh()
    assert generation(shards) == 2
