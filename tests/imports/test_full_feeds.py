"""Feeds that name everything a shop has: what they leave out goes, within a limit."""

import pytest

from tests.imports.bad_records import record
from tests.imports.feeds import entries, paused_in_the_middle
from tests.imports.pictures import jpeg
from tests.imports.shop import Shop
from tests.system.shop import put

STOCK = 100


@pytest.fixture
def stocked(shop: Shop) -> list[bytes]:
    """The shop has these records' products and no others; the first has a picture of its own."""
    own = record(0, [{"picture": jpeg(99)}])
    records = [own, *entries(range(1, STOCK), seed=0)]
    shop.imported(shop.file("stock.bson", b"".join(records)), mode="replace", max_deleted=1)
    assert shop.admin.get("/v1/stats").json()["products"] == STOCK
    return records


def test_what_a_full_feed_does_not_name_is_deleted_and_found_no_more(
    shop: Shop, stocked: list[bytes]
) -> None:
    shop.finds("0", jpeg(99))
    path = shop.file("less.bson", b"".join(stocked[2:]))
    rehearsed = shop.imported(path, mode="replace", dry_run=True)
    assert rehearsed["findings"]["would_delete"] == 2
    assert shop.product("0") is not None

    ended = shop.imported(path, mode="replace")
    assert (ended["state"], ended["findings"]["deleted"]) == ("succeeded", 2)
    assert (shop.product("0"), shop.product("1")) == (None, None)
    assert "0" not in shop.hits(jpeg(99), limit=10)
    assert shop.product("2") is not None


def test_a_full_feed_that_lacks_too_much_deletes_nothing_and_says_how_much(
    shop: Shop, stocked: list[bytes]
) -> None:
    path = shop.file("half.bson", b"".join(stocked[STOCK // 2 :]))
    ended = shop.imported(path, mode="replace")
    assert ended["state"] == "partially_succeeded"
    assert f"lacks {STOCK // 2} of {STOCK} products" in ended["detail"]
    assert "max_deleted 0.50" in ended["detail"]
    assert (ended["findings"]["deleted"], ended["findings"]["would_delete"]) == (0, STOCK // 2)
    assert shop.product("0") is not None

    ended = shop.imported(path, mode="replace", max_deleted=0.5)
    assert (ended["state"], ended["findings"]["deleted"]) == ("succeeded", STOCK // 2)
    assert shop.product("0") is None


def test_a_record_that_failed_holds_deletion_back_until_it_is_mended(
    shop: Shop, stocked: list[bytes]
) -> None:
    good = b"".join(stocked[1:])
    mended = record("a-shoe", [{"picture": jpeg(98)}])
    path = shop.file("flawed.bson", good + mended.replace(b"a-shoe", b"a/shoe"))
    ended = shop.imported(path, mode="replace")
    assert ended["state"] == "partially_succeeded"
    assert "nothing was deleted" in ended["detail"]
    assert shop.product("0") is not None

    path.write_bytes(good + mended)
    shop.ask(ended["import_id"], "retry_failed")
    ended = shop.ended(ended["import_id"])
    assert (ended["state"], ended["findings"]["deleted"]) == ("succeeded", 1)
    assert shop.product("0") is None
    assert shop.product("a-shoe") is not None


def test_a_product_put_while_a_full_feed_is_read_stays(shop: Shop, stocked: list[bytes]) -> None:
    more = entries(range(STOCK, 1_500), seed=0)
    path = shop.file("long.bson", b"".join([*stocked[1:], *more]))
    import_id = shop.begin(path, mode="replace")
    paused_in_the_middle(shop, import_id)
    put(shop, "by-hand", jpeg(97))
    shop.ask(import_id, "resume")
    ended = shop.ended(import_id)
    assert (ended["state"], ended["findings"]["deleted"]) == ("succeeded", 1)
    assert shop.product("0") is None
    shop.finds("by-hand", jpeg(97))
