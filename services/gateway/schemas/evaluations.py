"""Exams as callers ask for them, and what became of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from services.gateway.schemas.shapes import Body, View, example
from shared.jobs import JobState


class EvaluationBody(Body):
    """Which index sits the exam, and which one it is held against, each by id or alias.

    `against` is the live index unless said; null takes the index alone, and nothing to compare with
    is nothing to fail by.
    """

    model_config = ConfigDict(json_schema_extra=example(index="idx_01jd", against="live"))

    index: str = Field(min_length=1, max_length=200)
    against: str | None = Field(default="live", min_length=1, max_length=200)


class EvaluationView(View):
    """`passed` is null until the exam is over, and then where there was nothing to judge by.

    `reasons` say why it is not true. `figures` are of the index, of the other, and the difference
    question by question: by way of looking, `blend` being the one that searches go by.
    """

    model_config = ConfigDict(
        json_schema_extra=example(
            evaluation_id="job_01jd",
            index="idx_01je",
            against="idx_01jd",
            state="succeeded",
            created_at="2026-03-01T12:00:00Z",
            updated_at="2026-03-01T12:00:40Z",
            passed=True,
            reasons=[],
            notes=["No photo was found in two savings, so no duplicate can be looked for."],
            figures={
                "index": {
                    "blend": {
                        "same_product_first": {"value": 0.81, "error": 0.01, "questions": 1500}
                    }
                },
            },
            report_url="/v1/evaluations/job_01jd/report",
            detail=None,
        )
    )

    evaluation_id: str
    index: str
    against: str | None
    state: JobState
    created_at: datetime
    updated_at: datetime
    passed: bool | None
    reasons: list[str]
    notes: list[str]
    figures: Mapping[str, Any]
    report_url: str | None
    """The report as a page, once it is written; it needs the same key."""
    detail: str | None
    """Why there is no verdict, where the exam could not be held."""
