"""What the server answers about models."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Model:
    """What a model gives, costs and is worth; neither `bundled` nor with a `model_id`, it is gone there."""

    name: str
    fingerprint: str
    spaces: Mapping[str, int]
    indexes: tuple[str, ...]
    model_id: str | None
    version: str | None
    created_at: datetime | None
    size: int | None
    variant: str | None
    runtime: str
    licence: str | None
    provenance: str | None
    sizes: Mapping[str, Any]
    training: Mapping[str, Any]
    quality: Mapping[str, Any]
    pace: Mapping[str, Any]
    bundled: bool = False
    """It comes with the server's installation."""

    @property
    def title(self) -> str:
        """`NAME@VERSION` of a registered one, else its name: by which it is called elsewhere."""
        return self.name if self.model_id is None else f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Models:
    models: tuple[Model, ...]
