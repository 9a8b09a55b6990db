"""The doorbell."""

from typing import Protocol

from shared.tasks import QueueName, Task


class Queue(Protocol):
    """Rings may be lost, doubled, late and reordered; whoever is rung looks at the documents.

    `ring` never raises and takes at most 300 ms; False says that nobody will hear. Equal tasks
    that are still waiting may be one.
    """

    def ring(self, task: Task) -> bool: ...

    def waiting(self, queue: QueueName) -> int:
        """How many rings nobody has answered yet."""
        ...
