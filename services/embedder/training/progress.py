"""What a training tells while it runs, and how it is told to stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `of` steps of one stage; `figures` are the last measured, by name."""

    stage: str
    done: int
    of: int
    figures: Mapping[str, float] = field(default_factory=dict)


class Cancelled(Exception):
    """Raised by whoever is told: stop here, write no model, and keep what was saved on the way."""


Tell = Callable[[Progress], None]
"""Called often, by the training's own thread; may raise `Cancelled`."""


def tell_nobody(_progress: Progress) -> None:
    """For callers that do not want to know."""
