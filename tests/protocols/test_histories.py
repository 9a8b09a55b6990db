"""Random histories of the whole pipeline against a dictionary: once it is quiet, all agree."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from shared.tasks import CompactShard, EmbedImages, SyncShard, Task
from tests.protocols import scenery
from tests.protocols.scenery import DAY, HOUR, MINUTE, ONE, SECOND, SHARDS, TWO
from tests.protocols.stage import Stage

PIDS = st.sampled_from(scenery.PIDS)
TITLES = st.sampled_from(["u", "v", "w"])
PICTURES = st.sampled_from(["A", "B", "AB", "BA", "AC", "AX", "AT", "X", "T"])
GATEWAYS = st.integers(0, 1)
NUMBERS = st.integers(0, SHARDS - 1)
ANY = st.integers(0, 1_000)
PACES = st.sampled_from([1, 5, 20, 500, 3 * SECOND])
STILL_ALIVE = 8
"""Processes at a time: more only make histories longer."""


class Histories(RuleBasedStateMachine):
    """Every rule starts a process, lets one go on, or does something terrible to it."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")  # noqa: S108 - only speed depends on it
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.stage = Stage(self.folder)

    def teardown(self) -> None:
        try:
            self.stage.finish()
        finally:
            self.stage.close()
            shutil.rmtree(self.folder)

    def room(self) -> bool:
        return len(self.stage.processes) < STILL_ALIVE

    def anybody(self) -> bool:
        return bool(self.stage.ready())

    def one(self, which: int) -> int:
        ready = self.stage.ready()
        return ready[which % len(ready)]

    @precondition(room)
    @rule(pid=PIDS, images=PICTURES, title=TITLES, gateway=GATEWAYS)
    def put(self, pid: str, images: str, title: str, gateway: int) -> None:
        self.stage.start("put", self.stage.put, pid, images, title, gateway)

    @precondition(room)
    @rule(pid=PIDS, title=TITLES, gateway=GATEWAYS)
    def patch(self, pid: str, title: str, gateway: int) -> None:
        self.stage.start("patch", self.stage.patch, pid, title, gateway)

    @precondition(room)
    @rule(pid=PIDS, gateway=GATEWAYS, purge=st.booleans())
    def delete(self, pid: str, gateway: int, *, purge: bool) -> None:
        self.stage.start("delete", self.stage.delete, pid, gateway, purge=purge)

    @precondition(room)
    @rule(
        records=st.lists(
            st.tuples(PIDS, TITLES, st.sampled_from(["A", "B", "AB", "AX"])), max_size=3
        ),
        full=st.booleans(),
    )
    def bring_in(self, records: list[tuple[str, str, str]], *, full: bool) -> None:
        if records:
            self.stage.start("import", self.stage.bring_in, records, full=full)

    @precondition(lambda self: self.room() and self.stage.bells.rung)
    @rule(which=ANY, again=st.booleans())
    def answer(self, which: int, *, again: bool) -> None:
        rung = self.stage.bells.rung
        task = rung[which % len(rung)]
        if not again:
            rung.remove(task)
        self.stage.start(type(task).__name__, self.stage.answer, task)

    @precondition(lambda self: self.stage.bells.rung)
    @rule()
    def forget_all_rings(self) -> None:
        self.stage.bells.rung.clear()

    @precondition(room)
    @rule(
        task=st.one_of(
            st.builds(SyncShard, st.sampled_from([ONE, TWO]), NUMBERS),
            st.builds(CompactShard, st.sampled_from([ONE, TWO]), NUMBERS),
            st.builds(EmbedImages, st.sampled_from(["f1", "f2"])),
        )
    )
    def work_unasked(self, task: Task) -> None:
        self.stage.start(type(task).__name__, self.stage.answer, task)

    @precondition(room)
    @rule(number=NUMBERS)
    def rebuild(self, number: int) -> None:
        self.stage.start("rebuild", self.stage.rebuild, ONE, number)

    @precondition(room)
    @rule()
    def second_index(self) -> None:
        self.stage.start("second", self.stage.second_index)

    @precondition(room)
    @rule()
    def sweep(self) -> None:
        self.stage.start("sweep", self.stage.sweep)

    @precondition(room)
    @rule()
    def search(self) -> None:
        self.stage.start("search", self.stage.search)

    @precondition(anybody)
    @rule(which=ANY, pace=PACES, steps=st.integers(1, 12))
    def go_on(self, which: int, pace: int, steps: int) -> None:
        me = self.one(which)
        for _ in range(steps):
            if me in self.stage.ready():
                self.stage.step(me, pace)

    @precondition(anybody)
    @rule(turns=st.lists(ANY, min_size=1, max_size=20), pace=PACES)
    def interleave(self, turns: list[int], pace: int) -> None:
        for which in turns:
            if self.stage.ready():
                self.stage.step(self.one(which), pace)

    @precondition(anybody)
    @rule(which=ANY)
    def crash(self, which: int) -> None:
        self.stage.crash(self.one(which))

    @precondition(anybody)
    @rule(which=ANY, ms=st.sampled_from([3 * MINUTE, 11 * MINUTE, 70 * MINUTE, 26 * HOUR]))
    def freeze(self, which: int, ms: int) -> None:
        self.stage.freeze(self.one(which), ms)

    @rule(ms=st.sampled_from([2 * MINUTE, 11 * MINUTE, 70 * MINUTE, DAY + HOUR]))
    def pass_time(self, ms: int) -> None:
        self.stage.now += ms

    @rule(seed=ANY)
    def everybody_finishes(self, seed: int) -> None:
        self.stage.drain(seed)


_CHECKS = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class TestHistories(Histories.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=_CHECKS
    )


@pytest.mark.long
@pytest.mark.timeout(7200)
class TestLongHistories(Histories.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=3_000,
        stateful_step_count=120,
        deadline=None,
        suppress_health_check=_CHECKS,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )
