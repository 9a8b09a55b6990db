"""How long each phase of a search took."""

import time
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["decode", "embed", "search", "hydrate"]


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds by phase since it was started."""

    started: float = field(default_factory=time.perf_counter)
    phases: dict[Phase, float] = field(default_factory=dict)

    def lap(self, phase: Phase) -> None:
        """What has passed since the last lap counts for this phase."""
        passed = self.total - sum(self.phases.values())
        self.phases[phase] = self.phases.get(phase, 0.0) + passed

    @property
    def total(self) -> float:
        return (time.perf_counter() - self.started) * 1000
