"""Long work as callers start and watch it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from services.gateway.schemas.shapes import Body, View, example
from shared.jobs import Format, JobState


class SourceBody(Body):
    """An upload, or a file or folder that the server may read; `s3://bucket/key` is a path too."""

    upload_id: str | None = None
    path: str | None = Field(default=None, max_length=4_000)

    @model_validator(mode="after")
    def _one(self) -> "SourceBody":
        if (self.upload_id is None) == (self.path is None):
            raise ValueError("name the file by one of upload_id, path")
        return self


class ImportBody(Body):
    model_config = ConfigDict(
        json_schema_extra=example(
            format="bson",
            source={"path": "/data/train_example.bson"},
            categories={"path": "/data/category_names.csv"},
            on_error="skip",
            dry_run=False,
            mode="upsert",
        )
    )

    format: Format
    source: SourceBody
    categories: SourceBody | None = None
    mapping: dict[str, Any] = Field(default_factory=dict)
    label: str | None = Field(default=None, max_length=200)
    download: bool = False
    limit: int | None = Field(default=None, ge=1)
    sample: float | None = Field(default=None, gt=0, le=1)
    on_error: Literal["skip", "stop"] = "skip"
    dry_run: bool = False
    mode: Literal["upsert", "replace"] = "upsert"
    max_deleted: float = Field(default=0.1, ge=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> "ImportBody":
        if self.mode == "replace" and (self.limit is not None or self.sample is not None):
            raise ValueError(
                "mode replace deletes what a feed does not name: leave limit and sample"
            )
        if (self.label is not None or self.download) and self.format != "imaterialist":
            raise ValueError("label and download are for the format imaterialist")
        return self


class CountersView(View):
    """What became of records: `read` is the sum of the six after it."""

    read: int
    imported: int
    unchanged: int
    superseded: int
    duplicate: int
    failed: int
    left_out: int
    created: int
    pictures: int
    embedded: int


class ChunksView(View):
    waiting: int
    done: int
    failed: int
    cancelled: int


class ImportView(View):
    """`records` is what is known of the source's length so far, `eta_seconds` a guess."""

    model_config = ConfigDict(
        json_schema_extra=example(
            import_id="imp_01jd",
            format="bson",
            state="running",
            mode="upsert",
            dry_run=False,
            created_at="2026-03-01T12:00:00Z",
            updated_at="2026-03-01T12:00:00Z",
            size=58200000000,
            scanned=1200000000,
            planned=False,
            records=6400,
            counters={
                "read": 640,
                "imported": 630,
                "unchanged": 0,
                "superseded": 0,
                "duplicate": 4,
                "failed": 6,
                "left_out": 0,
                "created": 630,
                "pictures": 1100,
                "embedded": 1080,
            },
            chunks={"waiting": 90, "done": 10, "failed": 0, "cancelled": 0},
            records_per_second=800.0,
            eta_seconds=7.2,
            detail=None,
            findings={},
        )
    )

    import_id: str
    format: Format
    state: JobState
    mode: Literal["upsert", "replace"]
    dry_run: bool
    created_at: datetime
    updated_at: datetime
    size: int
    scanned: int
    planned: bool
    records: int
    counters: CountersView
    chunks: ChunksView
    records_per_second: float | None
    eta_seconds: float | None
    detail: str | None
    findings: Mapping[str, Any]
    """Of a full feed: `deleted`, `would_delete`; of a dry run: `categories`; and `duplicates`."""


class JobView(View):
    model_config = ConfigDict(
        json_schema_extra=example(
            job_id="imp_01jd",
            kind="import",
            state="running",
            created_at="2026-03-01T12:00:00Z",
            updated_at="2026-03-01T12:00:05Z",
            progress={"read": 640, "records": 6400},
            detail=None,
        )
    )

    job_id: str
    kind: str
    state: JobState
    created_at: datetime
    updated_at: datetime
    progress: Mapping[str, Any]
    detail: str | None


class JobsView(View):
    model_config = ConfigDict(json_schema_extra=example(jobs=[]))

    jobs: list[JobView]


class DeadLetterView(View):
    key: str
    kind: Literal["image", "product", "record", "chunk"]
    code: str
    detail: str
    first_seen: datetime
    attempts: int
    import_id: str | None
    offset: int | None
    thumbnail_url: str | None = None


class DeadLettersView(View):
    model_config = ConfigDict(json_schema_extra=example(dead_letters=[], next_cursor=None))

    dead_letters: list[DeadLetterView]
    next_cursor: str | None


class ReplayBody(Body):
    """Which dead letters to try again: these keys, those of an import, or all."""

    model_config = ConfigDict(json_schema_extra=example(import_id="imp_01jd"))

    keys: list[str] | None = Field(default=None, max_length=1_000)
    import_id: str | None = None


class ReplayView(View):
    """`left` cannot be tried again from here, each with the reason."""

    model_config = ConfigDict(json_schema_extra=example(replayed=3, left={}))

    replayed: int
    left: Mapping[str, str]
