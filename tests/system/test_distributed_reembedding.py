"""The catalogue of a house of processes brought to another model, over real servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike import Lookalike
from lookalike.sample.catalogue import make
from tests.servers.process import Server
from tests.servers.redis import redis_server
from tests.system.house import ADMIN, house
from tests.system.models import turned
from tests.system.servers import settings_over
from tests.system.shop import photo

MUG = photo("mug", "striped")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture(scope="module")
def shop(
    broker: Server, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lookalike]:
    settings = settings_over(
        mongodb=request.getfixturevalue("mongodb_url"),
        redis=broker.url,
        cache=request.getfixturevalue("redis_url"),
        elasticsearch=None,
        s3=request.getfixturevalue("s3_url"),
    )
    with (
        house(tmp_path_factory.mktemp("house"), settings) as running,
        Lookalike(str(running.admin.base_url), key=ADMIN) as client,
    ):
        yield client


def first(shop: Lookalike, index: str = "live") -> tuple[str, str]:
    found = shop.search(image=MUG, index=index, limit=1, deadline_ms=5_000)
    return found.hits[0].product_id, found.meta.index


def test_every_process_follows_to_the_other_model_and_back(shop: Lookalike, tmp_path: Path) -> None:
    make(tmp_path / "sample.bson", products=40, seed=7)
    shop.wait(shop.import_bson(tmp_path / "sample.bson"), timeout_s=60)
    shop.put_product("mug", {"title": "Mug"}, [MUG], within_s=20)
    before = shop.alias("live").index_id
    registered = shop.wait(shop.register_model(turned(tmp_path / "turned")), timeout_s=60)

    begun = shop.reembed(registered.progress["model_id"], shards=2)

    def look(_job: object) -> None:
        assert first(shop) == ("mug", before)

    ended = shop.wait(begun, progress=look, timeout_s=120)
    assert (ended.state, ended.progress["passed"]) == ("succeeded", True), ended.detail
    after = ended.progress["index"]
    assert (shop.index(after).shards, shop.index(after).build.behind) == (2, 0)
    assert first(shop, after) == ("mug", after)
    shop.set_alias("live", after)
    assert first(shop) == ("mug", after)
    assert shop.similar("mug", limit=1).meta.index == after
    shop.rollback("live")
    assert first(shop) == ("mug", before)
