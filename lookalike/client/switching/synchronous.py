"""Indexes and aliases in the client for ordinary programs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from lookalike.client.answers import Job
from lookalike.client.exchange import Flow, Outcome
from lookalike.client.switching import flows
from lookalike.client.switching.answers import Alias, Aliases, Index, Indexes


class Switching(ABC):
    """What `Lookalike` says about indexes and aliases."""

    @abstractmethod
    def _run(self, flow: Flow[Outcome]) -> Outcome: ...

    def indexes(self) -> Indexes:
        """All there are, in the order in which they were made."""
        return self._run(flows.indexes())

    def index(self, index_id: str) -> Index:
        """Its model, its size, and how far it is behind the catalogue."""
        return self._run(flows.index(index_id))

    def create_index(
        self,
        *,
        model: str | None = None,
        shards: int | None = None,
        declared: Sequence[str] | None = None,
        targets: Sequence[str] | None = None,
    ) -> Index:
        """Begins one beside the live one; what is not said is as that one has it."""
        return self._run(flows.create_index(model, shards, declared, targets))

    def drop_index(self, index_id: str) -> None:
        """Refused while an alias is on it."""
        return self._run(flows.drop_index(index_id))

    def aliases(self) -> Aliases:
        return self._run(flows.aliases())

    def alias(self, name: str) -> Alias:
        """Which index it is on, and who moved it there."""
        return self._run(flows.alias(name))

    def set_alias(
        self,
        name: str,
        index_id: str,
        *,
        version: int | None = None,
        force: bool = False,
        reason: str | None = None,
    ) -> Alias:
        """Moved over `version`; `live` takes another model only after an exam, or by `force`."""
        return self._run(flows.set_alias(name, index_id, version, reason, force=force))

    def rollback(self, name: str, *, reason: str | None = None) -> Alias:
        """Back to the index before."""
        return self._run(flows.rollback(name, reason))

    def reembed(
        self,
        model: str,
        *,
        shards: int | None = None,
        targets: Sequence[str] | None = None,
        evaluate: bool = True,
    ) -> Job:
        """Brings the catalogue to another model, beside the live index; `wait` for the job."""
        return self._run(flows.reembed(model, shards, targets, evaluate=evaluate))
