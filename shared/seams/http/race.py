"""One call to several groups of processes at once, from one thread and within one deadline.

Of a group one process is asked. The next one is asked when it fails, or when a part of the time is
gone: whoever answers first wins, and what the others still say is not listened to.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from selectors import BaseSelector, PollSelector
from typing import Final, Generic, TypeVar

from shared.errors import DeadlineExceeded, LookalikeError, NotFound, TooMany, Unavailable
from shared.seams.http.exchange import Call, Exchange, Reply
from shared.seams.http.processes import Process

PATIENCE: Final = 1 / 3
"""Of the time left; after that the next process of the group is asked beside the one that is slow."""

Answer = TypeVar("Answer")
Read = Callable[[Reply], Answer]
"""A reply as an answer; raises what the process complains of."""


def race(
    call: Call, groups: Sequence[Sequence[Process]], read: Read[Answer], until: float
) -> list[Answer | LookalikeError]:
    """What each group answers, in their order, or why it does not; `until` by the monotonic clock."""
    with PollSelector() as selector:
        races = [_Race(call, group, read, until, selector) for group in groups]
        try:
            _run(races, selector, until)
            return [one.outcome() for one in races]
        finally:
            for one in races:
                one.stop()


def _run(races: Sequence["_Race[Answer]"], selector: BaseSelector, until: float) -> None:
    for one in races:
        one.ask_next()
    while open_races := [one for one in races if one.is_open]:
        now = time.monotonic()
        if now >= until:
            return
        wake = min(until, *(one.wake for one in open_races))
        for key, _ in selector.select(max(0.0, wake - now)):
            runner, exchange = key.data
            runner.go_on(exchange)
        for one in open_races:
            one.look_at_the_clock()


class _Race(Generic[Answer]):
    """A group on its way to an answer."""

    def __init__(
        self,
        call: Call,
        processes: Sequence[Process],
        read: Read[Answer],
        until: float,
        selector: BaseSelector,
    ) -> None:
        self._call, self._read, self._until, self._selector = call, read, until, selector
        self._waiting = deque(processes)
        self._running: dict[Exchange, Process] = {}
        self._complaints: list[LookalikeError] = []
        self._found: Answer | LookalikeError | None = None
        self._next_at = inf

    @property
    def is_open(self) -> bool:
        return self._found is None and bool(self._running)

    @property
    def wake(self) -> float:
        """When the clock has to be looked at."""
        return min([self._next_at, *(exchange.connect_by for exchange in self._running)])

    def ask_next(self) -> None:
        """The next process of the group that can be asked at all, if there is one."""
        while self._waiting and not self._asked(self._waiting.popleft()):
            pass
        now = time.monotonic()
        self._next_at = now + (self._until - now) * PATIENCE if self._waiting else inf

    def go_on(self, exchange: Exchange) -> None:
        """Its socket is ready."""
        if exchange not in self._running:
            return  # overtaken in this very moment
        process, wanted = self._running[exchange], exchange.wants
        try:
            reply = exchange.go_on()
        except OSError as error:
            self._drop(exchange)
            if not (exchange.stale and self._asked(process, fresh=True)):
                self._failed(process, _reason(error))
            return
        if reply is not None:
            self._replied(exchange, reply)
        elif exchange.wants != wanted:
            self._selector.modify(exchange.sock, exchange.wants, (self, exchange))

    def look_at_the_clock(self) -> None:
        now = time.monotonic()
        for exchange in [one for one in self._running if now >= one.connect_by]:
            self._failed(self._drop(exchange), "takes no connection")
        if self.is_open and now >= self._next_at:
            for process in self._running.values():
                process.failed("is slow")
            self.ask_next()

    def outcome(self) -> Answer | LookalikeError:
        """Once nothing runs any more, or the time is gone."""
        if self._found is not None:
            return self._found
        for process in self._running.values():
            self._complain(process, "gave no answer by the deadline")
        if self._complaints and all(isinstance(one, NotFound) for one in self._complaints):
            return self._complaints[0]
        told = dict.fromkeys(one.detail for one in self._complaints)
        return Unavailable("; ".join(told) or "no time was left to ask")

    def stop(self) -> None:
        """Closes what is still under way."""
        for exchange in list(self._running):
            self._drop(exchange)

    def _asked(self, process: Process, *, fresh: bool = False) -> bool:
        try:
            exchange = process.begin(self._call, self._until, fresh=fresh)
        except OSError as error:
            self._complain(process, _reason(error))
            return False
        self._running[exchange] = process
        self._selector.register(exchange.sock, exchange.wants, (self, exchange))
        return True

    def _replied(self, exchange: Exchange, reply: Reply) -> None:
        process = self._drop(exchange, lasting=reply.lasting)
        try:
            self._found = self._read(reply)
        except NotFound as error:  # its twin may have heard of it already
            self._complaints.append(error)
            self.ask_next()
        except (Unavailable, DeadlineExceeded, TooMany) as error:
            self._failed(process, f"says: {error.detail}")
        except LookalikeError as error:  # the caller's own: nobody else would say otherwise
            self._found = error
            process.answered()
        else:
            process.answered()
        if self._found is not None:
            self.stop()

    def _failed(self, process: Process, why: str) -> None:
        self._complain(process, why)
        self.ask_next()

    def _complain(self, process: Process, why: str) -> None:
        process.failed(why)
        self._complaints.append(Unavailable(f"{process.name} {why}"))

    def _drop(self, exchange: Exchange, *, lasting: bool = False) -> Process:
        """No longer followed; a connection that lasts is kept for the next request."""
        process = self._running.pop(exchange)
        self._selector.unregister(exchange.sock)
        if lasting:
            process.keep(exchange.sock)
        else:
            exchange.sock.close()
        return process


def _reason(error: OSError) -> str:
    return f"does not answer: {error.strerror or error}"
