from collections.abc import Iterator

import pytest

from tests.imports.shop import Shop, shop_in


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One for all tests of a module, so each has products and pictures of its own."""
    with shop_in(tmp_path_factory.mktemp("shop")) as shop:
        yield shop
