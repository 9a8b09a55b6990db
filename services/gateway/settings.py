"""What an operator may choose about the gateway."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024


class GatewaySettings(BaseSettings):
    """Read from `LOOKALIKE_GATEWAY_…`; the defaults suit one machine."""

    model_config = SettingsConfigDict(env_prefix="LOOKALIKE_GATEWAY_", frozen=True)

    tenant: str = "default"
    """Whose catalogue the page at `/` shows."""
    import_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders that server paths of imports may lie under; none: only uploads are imported."""
    max_json_bytes: int = Field(default=64 * MIB, gt=0)
    max_form_bytes: int = Field(default=128 * MIB, gt=0)
    max_upload_bytes: int = Field(default=100_000 * MIB, gt=0)
    """For import files; pictures have their own, smaller limit."""
    threads: int = Field(default=64, gt=0)
    """Requests worked on at once; more wait in line."""
    waiting_requests: int = Field(default=32, ge=0)
    """How many of these may wait for a product or a job (`?wait=…`); more get the answer of now."""
    page_folder: Path = Path(__file__).parent / "page"
