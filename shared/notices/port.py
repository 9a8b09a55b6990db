"""Who committed tells, who shows hears."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Notices(Protocol):
    """That a shard changed, said to whoever follows at this moment: heard at once, or never.

    Nobody may rely on it; followers look by themselves as well. `tell` never raises, and takes no
    more than a tenth of a second.
    """

    def tell(self, index: str, shard: int) -> None: ...

    def follow(self, heard: Callable[[str, int], None]) -> AbstractContextManager[None]:
        """Calls `heard` on a thread of its own while the context is open; it must be quick."""
        ...
