"""Processes that take turns: one greenlet each, switched at every call of a port.

What a process does between two calls of a port cannot be interrupted; before every call the
scheduler may run others, let a day pass, or never come back (a crash, which runs no `finally`). So an
interleaving is a list of decisions, as in the protocol model, but what runs is the code that ships.
"""

import random
from collections.abc import Callable
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from shared.errors import Unavailable
from tests.protocols.scenery import SECOND

START = 1_700_000_000_000


class Turns:
    """The processes, the clock, and who goes next."""

    def __init__(self) -> None:
        self.now = START
        self.over = False
        self.processes: dict[int, greenlet] = {}
        self.names: dict[int, str] = {}
        self.wakes: dict[int, int] = {}
        self.crashed: list[greenlet] = []
        self.trace: list[str] = []
        self._serial = 0
        self._running: int | None = None

    def give_way(self, label: str) -> None:
        me = getcurrent()
        if self.over and me.parent is not None:
            raise GreenletExit
        if self._running is None:
            return
        name = self.names[self._running]
        assert me.parent is not None
        me.parent.switch()
        if self.over:
            raise GreenletExit
        self.trace.append(f"{(self.now - START) / 1000:12.3f}  {name:28} {label}")

    def start(self, what: str, work: Callable[..., None], *args: Any, **options: Any) -> int:
        """A process that stands before its first call of a port."""
        me = self._next()
        self.names[me] = f"{what}#{me}"
        self.processes[me] = greenlet(lambda: work(*args, **options))
        self.step(me, 0)
        return me

    def ready(self) -> list[int]:
        return [me for me in self.processes if self.wakes.get(me, 0) <= self.now]

    def step(self, me: int, ms: int) -> None:
        """Lets a process make its next call."""
        self.now += ms
        self._running = me
        try:
            self.processes[me].switch()
        except Unavailable:
            pass  # what a worker does when it is told so: nothing; the documents say what is to do
        finally:
            self._running = None
        if self.processes[me].dead:
            del self.processes[me]

    def crash(self, me: int) -> None:
        """It never comes back; kept, so that no `finally` of it runs."""
        self.trace.append(f"{'':12}  {self.names[me]:28} crashes")
        self.crashed.append(self.processes.pop(me))

    def freeze(self, me: int, ms: int) -> None:
        self.trace.append(f"{'':12}  {self.names[me]:28} freezes {ms // SECOND} s")
        self.wakes[me] = self.now + ms

    def drain(self, seed: int = 0) -> None:
        """Runs whatever is not frozen to its end."""
        rng = random.Random(seed)
        while ready := self.ready():
            self.step(rng.choice(ready), 1 + rng.randrange(20))

    def close(self) -> None:
        self.over = True
        for process in [*self.processes.values(), *self.crashed]:
            process.throw(GreenletExit)

    def _next(self) -> int:
        self._serial += 1
        return self._serial
