"""Files of an index go once no manifest names them and no reader shows them."""

from collections.abc import Callable

import pytest

from services.indexer.compaction import compact
from services.indexer.files import sweep_dropped, sweep_shard_files
from services.indexer.segments import stored
from services.indexer.sync import read_batch
from tests.indexer.conftest import House

FOLDER = "tenants/shop/indexes/one/shard-0/"


def compacted(house: House) -> None:
    for n in range(8):
        house.put(f"p{n}", [house.image(f"p{n}")])
        house.sync()
    compact(house.ports, house.index, 0)


def test_index_files_that_nothing_names_go(house: House) -> None:
    compacted(house)
    before = house.shown()
    assert sweep_shard_files(house.ports, house.index, 0) == 0
    house.clock.forward(hours=3)
    assert sweep_shard_files(house.ports, house.index, 0) > 16
    assert house.shown() == before
    manifest = house.manifest()
    named = {file.key for segment in manifest.segments for file in segment.files}
    assert named <= house.blob_keys(FOLDER)


def test_what_a_reader_shows_stays(house: House) -> None:
    compacted(house)
    indexes = house.ports.catalogue.indexes
    indexes.report("one", 0, "slow", 8)
    shown = {key for key in house.blob_keys(FOLDER) if "seg-" in key}
    house.clock.forward(hours=3)
    indexes.report("one", 0, "slow", 8)
    sweep_shard_files(house.ports, house.index, 0)
    assert shown <= house.blob_keys(FOLDER)
    house.clock.forward(minutes=11)
    sweep_shard_files(house.ports, house.index, 0)
    assert not shown <= house.blob_keys(FOLDER)
    assert not house.pointer().replicas


def test_a_commit_that_froze_over_a_sweep_names_no_swept_file(house: House) -> None:
    """The sweep commits before it deletes: who read the pointer earlier fails the swap."""
    for n in range(8):
        house.put(f"p{n}", [house.image(f"p{n}")])
        house.sync()
    before = house.shown()

    def sleep_over_sweep() -> None:
        house.clock.forward(hours=30)
        assert sweep_shard_files(house.ports, house.index, 0) > 0

    zombie = house.interrupted("blobs.put", sleep_over_sweep)
    compact(zombie.ports, house.index, 0)
    assert not house.view().damaged
    assert house.shown() == before


def test_a_file_named_while_the_sweep_looks_stays(house: House) -> None:
    """A compaction that froze before its swap wakes between the look and the deletion."""
    for n in range(8):
        house.put(f"p{n}", [house.image(f"p{n}")])
        house.sync()
    before = house.shown()
    sweeps: list[int] = []

    def sweep_around(wake: Callable[[], object]) -> None:
        house.clock.forward(hours=30)
        sweeping = house.interrupted("indexes.swap", wake)
        sweeps.append(sweep_shard_files(sweeping.ports, house.index, 0))

    interleaved(house, sweep_around)
    assert sweeps
    assert not house.view().damaged
    assert house.shown() == before


def interleaved(house: House, sweep_around: Callable[[Callable[[], object]], None]) -> None:
    """Runs the sweep before the compaction's last two steps, and those inside the sweep."""
    indexes, blobs = house.ports.catalogue.indexes, house.ports.blobs
    put, generation = blobs.put, house.pointer().generation

    def last_steps(key: str, data: bytes) -> None:
        put(key, data)
        assert indexes.swap("one", 0, expected=generation, manifest=key, as_of=0)

    def held_put(key: str, data: bytes) -> None:
        patch.undo()
        sweep_around(lambda: last_steps(key, data))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blobs, "put", held_put)
        compact(house.ports, house.index, 0)


def test_a_segment_on_its_way_to_its_commit_stays(house: House) -> None:
    house.put("p", [])
    batch = read_batch(house.ports, house.index, ["p"])
    ref = stored(house.ports, house.index, 0, batch.entries)
    assert sweep_shard_files(house.ports, house.index, 0) == 0
    assert {file.key for file in ref.files} <= house.blob_keys(FOLDER)
    house.clock.forward(hours=3)
    assert sweep_shard_files(house.ports, house.index, 0) == 1


def test_files_of_a_dropped_index_go(house: House) -> None:
    compacted(house)
    house.ports.catalogue.indexes.drop("one")
    assert sweep_dropped(house.ports) == 0
    house.clock.forward(hours=3)
    assert sweep_dropped(house.ports) > 0
    assert not house.blob_keys(FOLDER)
