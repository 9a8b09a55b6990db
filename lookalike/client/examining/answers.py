"""What the server answers about exams."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lookalike.client.answers import JobState


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`passed` is None until the exam is over, and then where there was nothing to judge by.

    `reasons` say why it is not True, `notes` what was not asked, `detail` why it could not be held.
    """

    evaluation_id: str
    index: str
    against: str | None
    state: JobState
    created_at: datetime
    updated_at: datetime
    passed: bool | None
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    figures: Mapping[str, Any]
    report_url: str | None
    detail: str | None

    @property
    def job_id(self) -> str:
        """An exam is watched as the job of the same id."""
        return self.evaluation_id
