"""What an operator may choose about the gateway."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr

from shared.runtime.settings import Settings

_MIB: Final = 1024 * 1024


class GatewaySettings(Settings, env_prefix="LOOKALIKE_GATEWAY_"):
    """The defaults suit one machine."""

    admin_key: SecretStr | None = None
    """A key of the operator's choice, made by `lookalike key make`: the first one of an installation."""
    max_json_bytes: int = Field(default=64 * _MIB, gt=0)
    max_form_bytes: int = Field(default=128 * _MIB, gt=0)
    max_upload_bytes: int = Field(default=100_000 * _MIB, gt=0)
    """For import files; pictures have their own, smaller limit."""
    threads: int = Field(default=64, gt=0)
    """Requests worked on at once; more wait in line."""
    waiting_requests: int = Field(default=32, ge=0)
    """How many of these may wait for a product or a job (`?wait=…`); more get the answer of now."""
    page_folder: Path = Path(__file__).parent / "page"
