from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike import Lookalike
from tests.client.house import House, running_house, taken_photos


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return taken_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture
def shop(house: House) -> Iterator[Lookalike]:
    with Lookalike(house.url, key=house.admin_key) as client:
        yield client
