"""An import's plan: chunks that cover the source, whatever is wrong in it and whoever dies."""

from pathlib import Path
from typing import Any

import pytest

from services.embedder.imports import plan_import
from shared.ids import new_id
from shared.jobs import Chunk, Import
from shared.tasks import ImportChunk


def some(house: Any, count: int, first: int = 0) -> bytes:
    numbers = range(first, first + count)
    return b"".join(house.records((n, [house.picture(f"p{n}")])) for n in numbers)


def chunks(house: Any, import_id: str) -> list[tuple[int, int, int]]:
    found = house.ports.catalogue.imports.chunks(import_id)
    return [(chunk.number, chunk.offset, chunk.records) for chunk in found]


def test_a_source_is_divided_into_chunks_and_they_are_rung_for(house: Any) -> None:
    data = some(house, 10)
    import_id = house.start_import(data)
    plan_import(house.ports, import_id)
    found = house.ports.catalogue.imports.chunks(import_id)
    assert [chunk.records for chunk in found] == [4, 4, 2]
    assert [chunk.offset for chunk in found[1:]] == [c.offset + c.length for c in found[:-1]]
    assert found[-1].offset + found[-1].length == len(data)
    job = house.state(import_id)
    assert (job.planned, job.scanned, job.state) == (True, len(data), "running")
    assert set(house.queue.rung) == {ImportChunk(import_id, n) for n in range(3)}


def test_a_queued_import_runs_once_it_is_planned(house: Any) -> None:
    key = "tenants/shop/uploads/one"
    data = some(house, 1)
    house.ports.blobs.put(key, data)
    job = Import("imp_q", "shop", "bson", key, len(data), 0, "queued")
    house.ports.catalogue.imports.create(job)
    plan_import(house.ports, "imp_q")
    assert house.state("imp_q").state == "running"


def test_a_plan_goes_on_where_it_stopped(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = some(house, 30)
    whole = house.start_import(data)
    plan_import(house.ports, whole)

    monkeypatch.setattr("services.embedder.imports._SAVED_TOGETHER", 2)
    import_id = house.start_import(data)
    deaths = 0
    while not house.state(import_id).planned:
        monkeypatch.setattr("services.embedder.imports.reach", _dies(house))
        try:
            plan_import(house.ports, import_id)
        except house.killed:
            deaths += 1
    assert deaths == 4
    assert chunks(house, import_id) == chunks(house, whole)


def _dies(house: Any) -> Any:
    """At every failpoint, so each planner saves one batch."""

    def die(_: str) -> None:
        raise house.killed

    return die


def test_a_paused_plan_stops_and_a_resumed_one_is_whole(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = some(house, 30)
    import_id = house.start_import(data)

    def pause(_: str) -> None:
        house.ports.catalogue.imports.set_state(import_id, "paused")

    monkeypatch.setattr("services.embedder.imports._SAVED_TOGETHER", 2)
    with monkeypatch.context() as patch:
        patch.setattr("services.embedder.imports.reach", pause)
        plan_import(house.ports, import_id)
    assert len(chunks(house, import_id)) == 2
    plan_import(house.ports, import_id)
    assert len(chunks(house, import_id)) == 2
    house.ports.catalogue.imports.set_state(import_id, "running")
    plan_import(house.ports, import_id)
    assert sum(records for _, _, records in chunks(house, import_id)) == 30


@pytest.mark.parametrize("limit", [1, 4, 6, 9, 10, 11])
def test_a_limit_cuts_the_last_chunk(house: Any, limit: int) -> None:
    import_id = house.start_import(some(house, 10), limit=limit)
    plan_import(house.ports, import_id)
    assert sum(records for _, _, records in chunks(house, import_id)) == min(limit, 10)
    house.run_chunks(import_id)
    assert house.counters(import_id).imported == min(limit, 10)
    assert house.ports.catalogue.products.count("shop") == min(limit, 10)
    assert house.state(import_id).state == "succeeded"


def test_a_limit_holds_for_a_plan_that_goes_on(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = house.start_import(some(house, 10), limit=6)
    monkeypatch.setattr("services.embedder.imports._SAVED_TOGETHER", 1)
    with monkeypatch.context() as patch:
        patch.setattr("services.embedder.imports.reach", _dies(house))
        with pytest.raises(house.killed):
            plan_import(house.ports, import_id)
    plan_import(house.ports, import_id)
    assert [records for _, _, records in chunks(house, import_id)] == [4, 2]


def test_chunks_of_a_planner_that_died_before_it_said_how_far_it_was_are_found_again(
    house: Any,
) -> None:
    import_id = house.start_import(some(house, 10))
    imports = house.ports.catalogue.imports
    imports.planned(import_id, [Chunk(import_id, 0, 0, len(some(house, 4)), 4)], scanned=0)
    plan_import(house.ports, import_id)
    assert [records for _, _, records in chunks(house, import_id)] == [4, 4, 2]


def test_an_import_is_not_over_before_its_plan_is(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = house.start_import(some(house, 10))
    monkeypatch.setattr("services.embedder.imports._SAVED_TOGETHER", 1)
    with monkeypatch.context() as patch:
        patch.setattr("services.embedder.imports.reach", _dies(house))
        with pytest.raises(house.killed):
            plan_import(house.ports, import_id)
    house.run_chunks(import_id)
    assert house.state(import_id).state == "running"
    plan_import(house.ports, import_id)
    house.run_chunks(import_id)
    assert house.state(import_id).state == "succeeded"


def test_what_cannot_be_read_is_counted_and_its_neighbours_are_not_lost(house: Any) -> None:
    garbage = b"\xff" * 50
    data = some(house, 5) + garbage + some(house, 5, first=5)
    import_id = house.start_import(data)
    plan_import(house.ports, import_id)
    house.run_chunks(import_id)
    counters = house.counters(import_id)
    assert (counters.imported, counters.failed, counters.read) == (10, 1, 11)
    assert house.letters() == {f"record/{import_id}/{len(some(house, 5)):015d}": "bad_length"}
    assert house.state(import_id).state == "partially_succeeded"


def test_a_torn_last_record_is_counted(house: Any) -> None:
    import_id = house.start_import(some(house, 3)[:-1])
    plan_import(house.ports, import_id)
    house.run_chunks(import_id)
    assert (house.counters(import_id).imported, house.counters(import_id).failed) == (2, 1)


def test_planning_twice_counts_a_bad_stretch_once(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = house.start_import(b"\xff" * 50 + some(house, 2) + b"\xff" * 50)
    with monkeypatch.context() as patch:
        patch.setattr("services.embedder.imports.reach", _dies(house))
        with pytest.raises(house.killed):
            plan_import(house.ports, import_id)
    plan_import(house.ports, import_id)
    plan_import(house.ports, import_id)
    house.run_chunks(import_id)
    assert house.counters(import_id).failed == 2
    assert house.counters(import_id).imported == 2


def test_a_source_of_nothing_but_rubbish_has_failed(house: Any) -> None:
    import_id = house.start_import(b"\xff" * 50)
    plan_import(house.ports, import_id)
    assert house.state(import_id).state == "failed"
    assert house.counters(import_id).read == 1


def test_an_empty_source_is_done(house: Any) -> None:
    import_id = house.start_import(b"")
    plan_import(house.ports, import_id)
    assert house.state(import_id).state == "succeeded"


def test_a_file_under_an_allowed_folder_is_imported(house: Any) -> None:
    import_id = of_file(house, house.folder / "open" / "good.bson")
    plan_import(house.ports, import_id)
    house.run_chunks(import_id)
    assert house.state(import_id).state == "succeeded"
    assert house.counters(import_id).imported == 6


def test_a_file_elsewhere_is_refused_even_through_a_link(house: Any) -> None:
    import_id = of_file(house, house.folder / "secret.bson")
    plan_import(house.ports, import_id)
    assert house.state(import_id).state == "failed"
    link = house.folder / "open" / "link.bson"
    link.symlink_to(house.folder / "secret.bson")
    import_id = of_file(house, link)
    plan_import(house.ports, import_id)
    assert house.state(import_id).state == "failed"
    assert chunks(house, import_id) == []


def test_a_file_that_changed_or_went_away_fails_with_the_reason(house: Any) -> None:
    path = house.folder / "open" / "good.bson"
    import_id = of_file(house, path)
    path.write_bytes(path.read_bytes() + b"more")
    plan_import(house.ports, import_id)
    assert "it was changed" in str(house.state(import_id).detail)
    import_id = of_file(house, path)
    path.unlink()
    plan_import(house.ports, import_id)
    assert "There is no file" in str(house.state(import_id).detail)


def of_file(house: Any, path: Path) -> str:
    if not path.exists():
        path.write_bytes(some(house, 6))
    made = Import(new_id("imp"), "shop", "bson", f"file:{path}", path.stat().st_size, 0, "running")
    import_id: str = house.ports.catalogue.imports.create(made).import_id
    return import_id


def test_rings_stay_few_whatever_the_size(house: Any) -> None:
    small = house.with_ports(chunk_records=1)
    import_id = house.start_import(some(house, 100))
    plan_import(small.ports, import_id)
    assert len(house.queue.rung) == 16
