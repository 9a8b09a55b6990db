"""Merges, here and in a process of their own: the same files, and no harm when that process ends."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.indexer.apart import merged_apart
from services.indexer.compaction import compact
from services.indexer.merging import Merging, merged
from shared.blobs.port import Blobs
from shared.errors import Unavailable
from shared.index.damage import DamagedSegment
from shared.index.files import paths_of, sha256_of
from shared.index.manifest import SegmentRef
from shared.runtime.children import start

if TYPE_CHECKING:
    from tests.indexer.conftest import House

CHILD = "services.indexer.apart"


def eight(house: "House") -> tuple[SegmentRef, ...]:
    """Segments of two products each; the last one says something newer of the first."""
    for n in range(7):
        house.put(f"p{n}", [house.image(f"p{n}")])
        house.put(f"q{n}", [house.image(f"q{n}"), house.image(f"r{n}")])
        house.sync()
    house.put("p0", [house.image("p0")], title="newer")
    house.delete("q0")
    house.sync()
    return house.manifest().segments


def asked_of(house: "House", inputs: tuple[SegmentRef, ...]) -> Merging:
    blobs: Blobs = house.ports.blobs
    placed = tuple((ref, paths_of(ref, blobs)) for ref in inputs)
    return Merging(placed, (), house.index.spaces, (), house.clock.now, "m", 1, trees=True)


def test_a_process_of_its_own_writes_the_same_files(house: "House", tmp_path: Path) -> None:
    asked = asked_of(house, eight(house))
    for folder in ("here", "apart"):
        (tmp_path / folder).mkdir()
    here, apart = merged(asked, tmp_path / "here"), merged_apart(asked, tmp_path / "apart")
    assert apart == replace(here, files=replace(here.files, files=apart.files.files))
    assert apart.files.graph
    for kind, path in here.files.files.items():
        assert sha256_of(path) == sha256_of(apart.files.files[kind])


def test_what_a_process_of_its_own_merges_shows_the_same(house: "House") -> None:
    inputs = eight(house)
    before, large = house.shown(), house.limited(graph_from=1)
    assert compact(large.ports, house.index, 0)
    assert house.shown() == before
    (made,) = house.manifest().segments
    assert made.name not in {ref.name for ref in inputs}


def test_a_merge_that_is_killed_changes_nothing_and_is_done_again(house: "House") -> None:
    eight(house)
    before, large = house.shown(), house.limited(graph_from=1)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            compact(large.ports, house.index, 0)
        except Unavailable as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    os.kill(_merging_child(), signal.SIGKILL)
    thread.join()
    assert "code -9; it will be tried again" in str(errors[0])
    assert house.shown() == before
    assert len(house.manifest().segments) == 8
    assert list(house.ports.scratch.iterdir()) == []
    assert compact(large.ports, house.index, 0)


def _merging_child(within: float = 30.0) -> int:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for told in Path("/proc/self/task").glob("*/children"):
            for pid in told.read_text().split():
                if CHILD.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    raise AssertionError("No merge was begun in a process of its own.")


def test_damage_is_told_as_damage(house: "House", tmp_path: Path) -> None:
    asked = asked_of(house, eight(house))
    path = asked.inputs[3][1]["arrow"]
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(DamagedSegment, match="rebuild"):
        merged_apart(asked, tmp_path)


def test_the_process_ends_with_whoever_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "asked.pickle")  # it waits there for ever
    with start(CHILD, str(tmp_path), stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 1
