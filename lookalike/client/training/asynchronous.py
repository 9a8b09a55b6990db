"""Trainings in the client for programs on asyncio."""

from abc import ABC, abstractmethod
from typing import Unpack

from lookalike.client.answers import Job
from lookalike.client.exchange import Flow, Outcome
from lookalike.client.training import flows
from lookalike.client.training.flows import Kind, TrainingOptions


class AsyncTraining(ABC):
    """What `AsyncLookalike` says about trainings."""

    @abstractmethod
    async def _run(self, flow: Flow[Outcome]) -> Outcome: ...

    async def train(self, kind: Kind, name: str, **options: Unpack[TrainingOptions]) -> Job:
        """A model of the shop's own pictures; `wait` for the job, whose progress names the model."""
        return await self._run(flows.train(kind, name, options))

    async def cancel(self, job_id: str) -> Job:
        """Stops an import or a training; nothing half-made is left."""
        return await self._run(flows.cancel(job_id))
