"""One server of each kind a session, started when a test first asks for it.

They are shared by all tests and hurt by none: whoever wants to kill or freeze one starts his own.
Tests keep out of each other's way by names of databases, keys, indexes and buckets of their own.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest

from tests.servers import elasticsearch, mongodb, redis, s3
from tests.servers.process import Server

_VERSIONS: Final[dict[str, Callable[[], str | None]]] = {
    "redis": redis.version,
    "mongodb": mongodb.version,
    "elasticsearch": elasticsearch.version,
    "s3": s3.version,
}


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _url("redis", redis.redis_server, tmp_path_factory)


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _url("mongodb", mongodb.mongodb_server, tmp_path_factory)


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _url("elasticsearch", elasticsearch.elasticsearch_node, tmp_path_factory)


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _url("s3", s3.s3_server, tmp_path_factory)


@pytest.fixture
def s3_environment(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What an installation says of its store; whoever brings his own store says it himself."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, os.environ.get(name, "tests"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", os.environ.get("AWS_DEFAULT_REGION", "us-east-1"))
    return s3_url


def pytest_report_header() -> list[str]:
    """Against what this session tests: a version of our own, or somebody's server."""
    return [
        f"{name}: {_given(name) or version() or 'not here, its tests skip'}"
        for name, version in _VERSIONS.items()
    ]


def _url(
    name: str,
    start: Callable[[Path], AbstractContextManager[Server]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    if given := _given(name):
        yield given
        return
    with start(tmp_path_factory.mktemp(name)) as server:
        yield server.url


def _given(name: str) -> str | None:
    url = os.environ.get(f"LOOKALIKE_TEST_{name.upper()}", "").rstrip("/")
    return url or None


if __name__ == "__main__":
    print(*pytest_report_header(), sep="\n")  # noqa: T201 - what `make servers` ends with
