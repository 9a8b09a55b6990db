"""What an operator may choose about the gateway."""

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from shared.runtime.settings import Settings

_MIB: Final = 1024 * 1024


def _paths(text: object) -> object:
    """As in PATH: divided by colons."""
    return tuple(filter(None, text.split(os.pathsep))) if isinstance(text, str) else text


class GatewaySettings(Settings, env_prefix="LOOKALIKE_GATEWAY_"):
    """The defaults suit one machine."""

    tenant: str = "default"
    """Whose catalogue the page at `/` shows."""
    import_roots: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)] = ()
    """Folders that server paths of imports may lie under; none: only uploads are imported."""
    max_json_bytes: int = Field(default=64 * _MIB, gt=0)
    max_form_bytes: int = Field(default=128 * _MIB, gt=0)
    max_upload_bytes: int = Field(default=100_000 * _MIB, gt=0)
    """For import files; pictures have their own, smaller limit."""
    threads: int = Field(default=64, gt=0)
    """Requests worked on at once; more wait in line."""
    waiting_requests: int = Field(default=32, ge=0)
    """How many of these may wait for a product or a job (`?wait=…`); more get the answer of now."""
    page_folder: Path = Path(__file__).parent / "page"
