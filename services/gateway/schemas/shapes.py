"""What all bodies have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict


class Body(BaseModel):
    """What a caller sends: no unknown fields, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class View(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True)


def example(**fields: Any) -> JsonDict:
    """For `json_schema_extra`."""
    return {"example": fields}
