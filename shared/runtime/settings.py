"""What an installation says of itself, read once from the environment by a composition root.

Every setting may instead stand in a file that `…_FILE` names, which is how secrets are handed in.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.errors import Invalid


class _Files(PydanticBaseSettingsSource):
    """`LOOKALIKE_QUEUE_FILE=/run/secrets/queue` instead of `LOOKALIKE_QUEUE`."""

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - the signature is pydantic's
        field_name: str,
    ) -> tuple[Any, str, bool]:
        name = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        path = os.environ.get(f"{name}_FILE")
        if path is None:
            return None, field_name, False
        if name in os.environ:
            raise Invalid(f"{name} and {name}_FILE are both set: keep one.", code="bad_settings")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            raise Invalid(f"{name}_FILE cannot be read: {error}", code="bad_settings") from error

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """The base of every service's settings, each with a prefix of its own:

    `class EmbedderSettings(Settings, env_prefix="LOOKALIKE_EMBEDDER_")`.
    """

    model_config = SettingsConfigDict(env_prefix="LOOKALIKE_", frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _Files(settings_cls)


def _paths(text: object) -> object:
    """As in PATH: divided by colons."""
    return tuple(filter(None, text.split(os.pathsep))) if isinstance(text, str) else text


class Installation(Settings):
    """Which adapters there are; the URLs may hold passwords and are therefore secrets."""

    data: Annotated[Path, AfterValidator(Path.absolute), Field(validate_default=True)] = Path(
        "data"
    )
    """The folder for whatever is kept on this machine."""
    catalogue: SecretStr = Field(
        default_factory=lambda known: SecretStr(f"sqlite:///{known['data']}/catalogue.sqlite")
    )
    queue: SecretStr = SecretStr("local")
    blobs: SecretStr = Field(
        default_factory=lambda known: SecretStr(f"file://{known['data']}/blobs")
    )
    elasticsearch: SecretStr | None = None
    import_roots: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)] = ()
    """Folders that a server path of an import may lie in, divided by colons."""
    log_level: str = "INFO"
