"""What a process may be told by its environment, and what the code says of itself."""

import inspect
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from services.gateway.settings import GatewaySettings
from shared.runtime.http import GRACE_S
from shared.runtime.settings import Installation, Settings

ROOT: Final = Path(__file__).parents[2]
VERSION: Final[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PORTS: Final = {
    "services.gateway.serve": 8080,
    "services.embedder.serve": 8081,
    "services.search.serve": 8082,
}
TRAINER: Final = "services.embedder.training.jobs.worker"
WORKERS: Final = ("services.embedder.worker", "services.indexer.worker", TRAINER)
BEATING: Final = (*WORKERS, "services.indexer.reconcile")
LIVE, READY = "/livez", "/readyz"
QUEUES: Final = {"embed_now", "embed_bulk", "index", "build", "train"}


def names_of(settings: type[Settings]) -> set[str]:
    prefix = settings.model_config["env_prefix"]
    return {f"{prefix}{field}".upper() for field in settings.model_fields}


INSTALLATION: Final = names_of(Installation)
KNOWN: Final = INSTALLATION | names_of(GatewaySettings)
SOURCES: Final = {
    "LOOKALIKE_FETCH_HOSTS",
    "LOOKALIKE_FETCH_PRIVATE",
    "LOOKALIKE_IMPORT_BUCKETS",
}
"""Where pictures and feeds may come from; each may be empty, and then nothing does."""
OF_AWS: Final = {
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SHARED_CREDENTIALS_FILE",
}


def is_read(name: str) -> bool:
    """By our settings, directly or as a file, or by the library that speaks S3."""
    return name in KNOWN | OF_AWS or name.removesuffix("_FILE") in KNOWN


def queues_of(arguments: list[str]) -> set[str]:
    """Those that a worker with these arguments listens to."""
    if "--queues" in arguments:
        return set(arguments[arguments.index("--queues") + 1].split(","))
    found: tuple[str, ...] = import_module(arguments[0]).QUEUES
    return set(found)


def module_is_there(name: str) -> bool:
    return find_spec(name) is not None


def image_of(module: str) -> str:
    """Which image a process runs in."""
    return "trainer" if module == TRAINER else module.split(".")[1]


def grace_s(module: str) -> float:
    """How long this process may take to finish what it began."""
    if module in PORTS:
        return GRACE_S
    if module not in WORKERS:
        return 0
    from shared.queue.celery.worker import run_worker

    grace: float = inspect.signature(run_worker).parameters["grace_s"].default
    return grace


def urls_of(value: str) -> list[tuple[str | None, int | None]]:
    """Host and port of every URL in a value."""
    return [
        (parts.hostname, parts.port)
        for parts in map(urlsplit, value.split(","))
        if parts.scheme in {"http", "redis", "mongodb"}
    ]
