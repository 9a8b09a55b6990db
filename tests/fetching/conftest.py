"""A web of one's own for every test."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.fetching.web import Authority, Server, Web


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make certificates with")
    return Authority(tmp_path_factory.mktemp("authority")).made()


@pytest.fixture
def web(authority: Authority) -> Iterator[Web]:
    with ExitStack() as opened:
        yield Web(authority, opened)


@pytest.fixture
def plain(web: Web) -> Server:
    """One plain server at a loopback address."""
    return web.server()
