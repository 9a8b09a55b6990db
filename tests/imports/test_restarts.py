"""An import goes on after its house was closed, or killed, and nothing is counted twice or lost."""

import signal
from pathlib import Path
from typing import Any

from shared.jobs import FINISHED
from tests.imports.bad_records import record
from tests.imports.feeds import feed, paused_in_the_middle
from tests.imports.pictures import jpeg
from tests.imports.shop import Shop, shop_in, until
from tests.system.demo import Demo, demo

MANY = 1_500
SOON_S = 20.0
"""Less than any lease that whoever is gone had taken."""
LAST = record("the-last", [{"picture": jpeg(9_999)}])
TORN = record("torn", [{"picture": jpeg(9_998)}])[:-9]


def test_an_import_goes_on_where_its_house_was_closed(tmp_path: Path) -> None:
    with shop_in(tmp_path) as shop:
        path = shop.file("long.bson", feed(range(MANY), seed=0) + LAST + TORN)
        import_id = shop.begin(path)
        read = paused_in_the_middle(shop, import_id)
        shop.ask(import_id, "resume")
    with shop_in(tmp_path) as shop:
        assert shop.view(import_id)["counters"]["read"] >= read
        _is_whole(shop, shop.ended(import_id, SOON_S))


def _is_whole(shop: Shop, ended: dict[str, Any]) -> None:
    counters = ended["counters"]
    assert (ended["state"], counters["failed"]) == ("partially_succeeded", 1)
    assert (counters["read"], counters["imported"], counters["created"]) == (
        MANY + 2,
        MANY + 1,
        MANY + 1,
    )
    assert [letter["code"] for letter in shop.failures(ended["import_id"])] == ["torn_record"]
    shop.finds("the-last", jpeg(9_999))


def test_an_import_goes_on_after_its_process_was_killed(tmp_path: Path) -> None:
    with demo(tmp_path / "data", stop=signal.SIGKILL) as first:
        data = feed(range(MANY), seed=0) + LAST + TORN
        upload = first.admin.post("/v1/uploads", content=data).json()
        body = {"format": "bson", "source": {"upload_id": upload["upload_id"]}}
        import_id = first.admin.post("/v1/imports", json=body).json()["import_id"]
        until(lambda: _shop(first).view(import_id)["counters"]["read"] > 0, "it does not begin")
        assert _shop(first).view(import_id)["state"] not in FINISHED
    with demo(tmp_path / "data") as second:
        shop = _shop(second)
        _is_whole(shop, shop.ended(import_id, SOON_S))


def _shop(house: Demo) -> Shop:
    return Shop(house.admin, house.shopper, Path())
