"""The calls about trainings as flows; a CSV of triplets that lies here is uploaded first."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypedDict

from lookalike.client.answers import Job, Upload
from lookalike.client.calls import ask, once, segment, sent
from lookalike.client.exchange import Call, Flow
from lookalike.client.uploads import upload

Kind = Literal["adapt", "classifier", "triplet"]


class TrainingOptions(TypedDict, total=False):
    """What is left out is as the server's description of the API says; not every kind takes all."""

    version: str
    folder: str
    """A folder there with a folder for each category; without it, the catalogue."""
    categories: Sequence[Sequence[str]]
    """Of the catalogue, only products under one of these paths."""
    since: datetime
    """Of the catalogue, only what is dated since then; with a time zone."""
    from_model: str
    backbone: str
    weights: str
    """A path or `s3://` URL there; `none` begins with random numbers."""
    triplets: Path | str | Upload
    """A CSV here, a path or `s3://` URL there, or what was uploaded already."""
    side: int
    dim: int
    unfreeze: int
    epochs: int
    patience: int
    steps: int
    batch: int
    learning_rate: float
    loss: Literal["triplet", "multi_similarity"]
    margin: float
    forget: float
    allow_forgetting: bool
    seed: int


def train(kind: Kind, name: str, options: TrainingOptions) -> Flow[Job]:
    body: dict[str, Any] = {"kind": kind, "name": name, **options}
    chosen = {one: body.pop(one) for one in ("folder", "categories", "since") if one in body}
    if "since" in chosen:
        chosen["since"] = chosen["since"].isoformat()
    if chosen:
        body["pictures"] = chosen
    if "triplets" in options:
        body["triplets"] = yield from _placed(options["triplets"])
    return (yield from ask(sent("POST", "/v1/trainings", body, **once()), Job))


def cancel(job_id: str) -> Flow[Job]:
    return ask(Call("DELETE", f"/v1/jobs/{segment(job_id)}"), Job)


def _placed(source: Path | str | Upload) -> Flow[dict[str, str]]:
    if isinstance(source, str):
        return {"path": source}
    stored = source if isinstance(source, Upload) else (yield from upload(source, None))
    return {"upload_id": stored.upload_id}
