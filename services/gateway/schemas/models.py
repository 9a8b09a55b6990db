"""Models as callers see them and hand them in."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import ConfigDict, Field, model_validator

from services.gateway.schemas.shapes import Body, View, example

_Folder = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class ModelBody(Body):
    """A model's folder as an uploaded tar file, or the name of one that is bundled: one of both."""

    model_config = ConfigDict(json_schema_extra=example(upload_id="upl_01jd"))

    upload_id: str | None = None
    bundled: _Folder | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.upload_id is None) == (self.bundled is None):
            raise ValueError("name an upload_id or a bundled model, one of them")
        return self


_MODEL: Final = example(
    model_id="mdl_01jd",
    name="our-shop",
    version="2",
    fingerprint="1f0c6e5d9b3a47e28c9d0b6a5f4e3d2c",
    spaces={"content": 256, "style": 96, "colour": 32},
    indexes=["idx_01jd"],
    created_at="2026-03-01T08:00:00Z",
    size=4_812_800,
    variant="fp16",
    runtime="litert",
    licence="as the shop's photos",
    provenance="A ranking network taught on 41,000 photos.",
    sizes={"model.tflite": 4_700_000},
    training={"kind": "triplet", "photos": 41_000, "minutes": 52},
    quality={"precision_at_10": 0.61},
    pace={"pictures_per_second": 38, "processor": "one core"},
)


class ModelView(View):
    """Registered where it has a `model_id`; neither that nor bundled: gone, and an index still has it."""

    model_config = ConfigDict(json_schema_extra=_MODEL)
    TOLD: ClassVar[tuple[str, ...]] = (
        *("variant", "runtime", "licence", "provenance", "sizes", "training", "quality", "pace"),
    )
    """What is as the manifest says."""

    name: str
    fingerprint: str
    spaces: dict[str, int]
    indexes: list[str]
    """Those that have its vectors."""
    bundled: bool = False
    """It comes with the installation."""
    model_id: str | None = None
    version: str | None = None
    created_at: datetime | None = None
    size: int | None = None
    """Of its archive, in bytes."""
    variant: str | None = None
    runtime: str = "litert"
    licence: str | None = None
    provenance: str | None = None
    sizes: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    quality: dict[str, Any] = Field(default_factory=dict)
    pace: dict[str, Any] = Field(default_factory=dict)


class ModelsView(View):
    model_config = ConfigDict(json_schema_extra=example(models=[_MODEL["example"]]))

    models: list[ModelView]
