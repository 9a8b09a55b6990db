"""Trainings as callers ask for them; defaults and ranges are those of `shared.trainings`."""

from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, RootModel

from services.gateway.schemas.jobs import SourceBody
from services.gateway.schemas.shapes import Body, example
from shared.trainings import (
    NAME,
    RANGES,
    ClassifierRequest,
    Loss,
    TrainingRequest,
    TripletRequest,
)

Name = Annotated[str, Field(pattern=f"^{NAME}$")]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,130}$")]
"""A bundled model's name, a registered one's `NAME@VERSION` or id."""
ServerPath = Annotated[str, Field(min_length=1, max_length=4_000)]
CategoryPath = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


def _default(request: type[TrainingRequest], name: str) -> Any:
    return next(field.default for field in fields(request) if field.name == name)


def _number(request: type[TrainingRequest], name: str) -> Any:
    """With the default and the range that it has everywhere."""
    least, most = RANGES[name]
    return Field(default=_default(request, name), ge=least, le=most)


class PicturesBody(Body):
    """A folder of the server with a folder for each category; without it, the catalogue.

    Of the catalogue: products under one of `categories`, and dated `since` then; by default all
    that have a category.
    """

    folder: ServerPath | None = None
    categories: list[CategoryPath] = Field(default_factory=list, max_length=1_000)
    since: AwareDatetime | None = Field(default=None, strict=False)


class AdaptBody(Body):
    """A model's content space whitened by categories, in seconds to a minute."""

    kind: Literal["adapt"]
    name: Name
    version: Name = "1"
    pictures: PicturesBody = PicturesBody()
    from_model: ModelName | None = None


class ClassifierBody(Body):
    """A feature layer and a classifier on a backbone; `weights` is a path, or `none` for random."""

    kind: Literal["classifier"]
    name: Name
    version: Name = "1"
    pictures: PicturesBody = PicturesBody()
    backbone: ModelName = _default(ClassifierRequest, "backbone")
    weights: ServerPath | None = None
    side: int | None = _number(ClassifierRequest, "side")
    dim: int = _number(ClassifierRequest, "dim")
    unfreeze: int = _number(ClassifierRequest, "unfreeze")
    epochs: int = _number(ClassifierRequest, "epochs")
    patience: int = _number(ClassifierRequest, "patience")
    batch: int = _number(ClassifierRequest, "batch")
    learning_rate: float = _number(ClassifierRequest, "learning_rate")
    from_model: ModelName | None = None
    seed: int = _number(ClassifierRequest, "seed")


class TripletBody(Body):
    """A ranking network; without a CSV of `triplets` they are mined from the pictures."""

    kind: Literal["triplet"]
    name: Name
    version: Name = "1"
    pictures: PicturesBody = PicturesBody()
    triplets: SourceBody | None = None
    backbone: ModelName = _default(TripletRequest, "backbone")
    weights: ServerPath | None = None
    side: int | None = _number(TripletRequest, "side")
    dim: int = _number(TripletRequest, "dim")
    loss: Loss = _default(TripletRequest, "loss")
    margin: float = _number(TripletRequest, "margin")
    unfreeze: int = _number(TripletRequest, "unfreeze")
    steps: int = _number(TripletRequest, "steps")
    batch: int = _number(TripletRequest, "batch")
    learning_rate: float = _number(TripletRequest, "learning_rate")
    from_model: ModelName | None = None
    forget: float = Field(default=_default(TripletRequest, "forget"), ge=0, le=1)
    allow_forgetting: bool = _default(TripletRequest, "allow_forgetting")
    seed: int = _number(TripletRequest, "seed")


AnyTraining = AdaptBody | ClassifierBody | TripletBody


class TrainingBody(RootModel[Annotated[AnyTraining, Field(discriminator="kind")]]):
    model_config = ConfigDict(
        json_schema_extra=example(
            kind="triplet",
            name="our-shop",
            version="2",
            pictures={"since": "2026-03-01T00:00:00Z"},
            backbone="mobilenetv2-0.35",
            from_model="our-shop@1",
        )
    )
