"""Models in the client for programs on asyncio."""

from abc import ABC, abstractmethod

from lookalike.client.answers import Job
from lookalike.client.exchange import Flow, Outcome, Progress
from lookalike.client.registering import flows
from lookalike.client.registering.answers import Model, Models
from lookalike.client.registering.flows import Source


class AsyncRegistering(ABC):
    """What `AsyncLookalike` says about models."""

    @abstractmethod
    async def _run(self, flow: Flow[Outcome]) -> Outcome: ...

    async def models(self) -> Models:
        """Those that are bundled, those that are registered, and those that only indexes have any more."""
        return await self._run(flows.models())

    async def model(self, name: str) -> Model:
        """A bundled one by its name, a registered one by its id or NAME@VERSION."""
        return await self._run(flows.model(name))

    async def register_model(self, source: Source, *, progress: Progress | None = None) -> Job:
        """A folder or tar here, or a bundled name; `wait` for the job, whose progress names the model."""
        return await self._run(flows.register_model(source, progress))

    async def remove_model(self, name: str) -> None:
        """Of a registered one; refused while an index has its vectors."""
        return await self._run(flows.remove_model(name))
