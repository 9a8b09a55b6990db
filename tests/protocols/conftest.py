"""A stage of its own for every test that wants one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.protocols.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    built = Stage(tmp_path)
    yield built
    built.close()
