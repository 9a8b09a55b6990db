"""What was begun, what took effect and what was acknowledged, against which promises are checked."""

from collections.abc import Collection
from typing import Any

from shared.catalogue.products import Outcome
from tests.protocols.promises import Operation, content_of
from tests.protocols.turns import Turns


class Ledger(Turns):
    """Every write of every process, told by whoever makes it and by the port that it goes through."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.writing: dict[int, Operation] = {}
        self.records: dict[tuple[str, int], Operation] = {}
        self.silences: dict[str, list[Operation]] = {}
        """What each full feed does not name, by import."""

    def begin(self, pid: str, content: tuple[str, tuple[str, ...]] | None) -> Operation:
        op = Operation(pid, (self.now, 0), content=content)
        self.operations.append(op)
        if self._running is not None:
            self.writing[self._running] = op
        return op

    def acknowledge(self, op: Operation) -> None:
        op.acked, op.end = True, (self.now, 0)

    def took_effect(self, outcome: Outcome, origin: Any) -> None:
        if not outcome.accepted:
            return
        if origin is not None:
            op = self.records[origin.import_id, origin.offset]
        else:
            op = self.writing[self._running or 0]
            if op.content is not None and outcome.product is not None:
                op.content = content_of(outcome.product)
        op.done = True

    def fell_silent(self, import_id: str, pids: Collection[str]) -> None:
        for op in self.silences[import_id]:
            op.done = op.done or op.pid in pids

    def effects(self, pid: str) -> int:
        return sum(op.done for op in self.operations if op.pid == pid)
