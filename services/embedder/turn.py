"""One worker at a time at what is not divided: a plan, an ending."""

from typing import Final, Literal

from services.embedder.ports import Ports
from shared.ids import ulid

_LEASE_MS: Final = 30_000


class Turn:
    """A lease that saves double work; correctness does not need it."""

    def __init__(self, ports: Ports, step: Literal["plan", "end"], import_id: str) -> None:
        self._ports = ports
        self._import_id = import_id
        self._name = f"{step}/{import_id}"
        self._holder = ulid()

    def hold(self) -> bool:
        """Taken, or kept for longer; False while somebody else has it."""
        return self._ports.catalogue.office.lease(self._name, self._holder, _LEASE_MS)

    def release(self) -> None:
        self._ports.catalogue.office.lease(self._name, self._holder, 0)

    def goes_on(self) -> bool:
        """Whether the import still runs, and the turn is still ours."""
        current = self._ports.catalogue.imports.get(self._import_id)
        return current is not None and current.state == "running" and self.hold()
