"""Exams in the client for programs on asyncio."""

from abc import ABC, abstractmethod

from lookalike.client.calls import Watch
from lookalike.client.examining import flows
from lookalike.client.examining.answers import Evaluation
from lookalike.client.exchange import Flow, Outcome


class AsyncExamining(ABC):
    """What `AsyncLookalike` says about exams."""

    @abstractmethod
    async def _run(self, flow: Flow[Outcome]) -> Outcome: ...

    async def evaluate(
        self,
        index: str,
        against: str | None = "live",
        *,
        progress: Watch | None = None,
        timeout_s: float | None = None,
    ) -> Evaluation:
        """The exam once it is over, however it ended; None for `against` takes the index alone."""
        return await self._run(flows.judged(index, against, progress, timeout_s))

    async def begin_evaluation(self, index: str, against: str | None = "live") -> Evaluation:
        """The same without waiting; `wait` for it as for any job."""
        return await self._run(flows.evaluate(index, against))

    async def evaluation(self, evaluation_id: str) -> Evaluation:
        return await self._run(flows.evaluation(evaluation_id))

    async def evaluation_report(self, evaluation_id: str) -> bytes:
        """Figures and contact sheets as one HTML page."""
        return await self._run(flows.evaluation_report(evaluation_id))
