import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from benchmarks.processes import (
    cpu_seconds,
    memory,
    on,
    own_seconds,
    seconds_of_threads,
    tree,
    watched,
)

_PARENT = """
import subprocess, sys
held = bytearray(20_000_000)
child = subprocess.Popen([sys.executable, "-c",
    "import time\\nheld = bytearray(30_000_000)\\nend = time.process_time() + 0.3\\n"
    "while time.process_time() < end: pass\\nprint('done', flush=True)\\ninput()"],
    stdin=sys.stdin)
child.wait()
"""


@pytest.fixture
def family() -> Iterator["subprocess.Popen[str]"]:
    """A process of 20 MB, and its child of 30 MB that has worked for 0.3 s."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "done\n"
        yield parent
        parent.communicate("\n")


def test_a_tree_is_a_process_with_its_children_and_what_they_cost(
    family: "subprocess.Popen[str]",
) -> None:
    parent, child = tree(family.pid)
    assert parent == family.pid
    assert cpu_seconds(family.pid) >= 0.3 > own_seconds(family.pid)
    assert memory(parent).resident >= 20_000_000
    assert memory(child).resident >= 30_000_000


def test_a_peak_is_of_the_process_and_of_all_together(family: "subprocess.Popen[str]") -> None:
    with watched(family.pid) as peak:
        peak.look(family.pid)
    said = peak.taken()
    assert said["process"] >= 20
    assert said["largest_child"] >= 30
    assert said["together"] >= said["of_no_file"] >= 50
    assert peak.taken()["together"] == 0


def test_a_process_that_has_ended_costs_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert tree(gone.pid) == []
    assert cpu_seconds(gone.pid) == memory(gone.pid).share == 0


def test_threads_are_told_by_the_names_that_they_were_given() -> None:
    assert seconds_of_threads(os.getpid(), {"main": threading.get_native_id()})["main"] > 0
    assert seconds_of_threads(os.getpid(), {"gone": 2**22 + 1}) == {"gone": 0}


def test_what_is_started_on_a_core_stays_there_and_only_that() -> None:
    before = os.sched_getaffinity(0)
    core = {min(before)}
    with on(core):
        told = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
        said = subprocess.run(told, check=True, capture_output=True, text=True).stdout
    assert {int(one) for one in said.split()} == core
    assert os.sched_getaffinity(0) == before
