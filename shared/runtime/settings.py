"""What an installation says of itself, read once from the environment by a composition root.

Every setting may instead stand in a file that `…_FILE` names, which is how secrets are handed in.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

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


def _parts(between: str) -> Callable[[object], object]:
    """Several values in one variable; an empty one is none."""
    return lambda text: (
        tuple(filter(None, map(str.strip, text.split(between)))) if isinstance(text, str) else text
    )


class Installation(Settings):
    """Which adapters there are; the URLs may hold passwords and are therefore secrets."""

    data: Annotated[Path, AfterValidator(Path.absolute), Field(validate_default=True)] = Path(
        "data"
    )
    """The folder for whatever is kept on this machine."""
    tenant: str = "default"
    """Whose index is made at the first start."""
    catalogue: SecretStr = Field(
        default_factory=lambda known: SecretStr(f"sqlite:///{known['data']}/catalogue.sqlite")
    )
    queue: SecretStr = SecretStr("local")
    blobs: SecretStr = Field(
        default_factory=lambda known: SecretStr(f"file://{known['data']}/blobs")
    )
    elasticsearch: SecretStr | None = None
    elasticsearch_graph: Literal["hnsw", "int8_hnsw", "bbq_hnsw"] = "hnsw"
    """Of indexes that are made: the others take less memory and miss more."""
    cache: SecretStr | None = None
    """A Redis for the vectors of queries, which may forget whatever it likes: never the queue's."""
    model: str = "small"
    """A bundled model by name, a registered one by `NAME@VERSION` or id, or the folder of one."""
    shards: int = Field(default=1, ge=1, le=256)
    """Of an index that is made; indexes that are there keep theirs."""
    workers: int = Field(default=2, ge=1)
    """How many embedding workers there are: twice as many rings are kept waiting for them."""
    embedder_url: str = "http://127.0.0.1:8081"
    search_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts(","))] = (
        "http://127.0.0.1:8082",
    )
    """Every search process, in order of their ordinals, divided by commas."""
    search_groups: int = Field(default=1, ge=1)
    """Shard n is held by the processes whose ordinal leaves the same remainder as n."""
    search_ordinal: int | None = Field(default=None, ge=0)
    """Which of the search processes this is; by default, the number at the end of the host name."""
    heartbeat: Path | None = None
    """A file that a worker touches for as long as it is well."""
    import_roots: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_parts(os.pathsep))] = ()
    """Folders that a server path of an import may lie in, divided by colons."""
    import_buckets: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts(","))] = ()
    """Places in S3 that an import may read, `s3://bucket/prefix`, divided by commas."""
    fetch_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts(","))] = ()
    """Whose pictures are fetched by URL: names, or `*.example.com`, divided by commas."""
    fetch_private: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts(","))] = ()
    """Each `host:port` of the own network that pictures are fetched from too, over http as well."""
    log_level: str = "INFO"
