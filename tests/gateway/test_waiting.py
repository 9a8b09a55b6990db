from dataclasses import dataclass, field
from threading import BoundedSemaphore
from types import SimpleNamespace
from typing import Any

import pytest

from services.gateway import waiting
from services.gateway.waiting import wait_for

PORTS: Any = SimpleNamespace(waiting_room=BoundedSemaphore(1))


@dataclass
class Clock:
    """Time that goes on only while somebody sleeps, or looks for `look_s`."""

    look_s: float
    now: float = 0.0
    looks: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def look(self) -> int:
        self.looks.append(self.now)
        self.now += self.look_s
        return len(self.looks)


def clock(monkeypatch: pytest.MonkeyPatch, look_s: float) -> Clock:
    made = Clock(look_s)
    monkeypatch.setattr(waiting, "time", made)
    return made


def test_what_is_cheap_is_looked_at_twenty_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    time = clock(monkeypatch, look_s=0.0)
    wait_for(PORTS, time.look, lambda _: False, 1)
    assert len(time.looks) == pytest.approx(21, abs=1)


def test_what_is_dear_takes_a_tenth_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    time = clock(monkeypatch, look_s=0.1)
    wait_for(PORTS, time.look, lambda _: False, 30)
    assert len(time.looks) * time.look_s == pytest.approx(3, abs=0.3)


def test_the_last_look_is_at_the_end_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    time = clock(monkeypatch, look_s=0.1)
    wait_for(PORTS, time.look, lambda _: False, 1.5)
    assert time.looks[-1] == pytest.approx(time.look_s + 1.5)


def test_nobody_waits_for_what_is_so_already(monkeypatch: pytest.MonkeyPatch) -> None:
    time = clock(monkeypatch, look_s=0.0)
    assert wait_for(PORTS, time.look, lambda seen: seen == 1, 30) == 1
    assert time.now == 0
