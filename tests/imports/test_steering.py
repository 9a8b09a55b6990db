"""What an import may be told: how much, whether at all, when; and what is seen of it meanwhile."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.imports.bad_records import line, record
from tests.imports.feeds import entries, feed, paused_in_the_middle, read_so_far
from tests.imports.pictures import jpeg
from tests.imports.shop import Shop, steady, until
from tests.system.shop import body, put

MANY = 1_500
_TABLES: Final = ("products", "shows", "images", "embeddings")


def test_a_limit_brings_in_the_first_records(shop: Shop) -> None:
    path = shop.file("limited.bson", feed(range(1_000, 1_100), seed=1_000))
    ended = shop.imported(path, limit=70)
    assert (ended["state"], ended["counters"]["read"]) == ("succeeded", 70)
    assert shop.product("1069") is not None
    assert shop.product("1070") is None


def test_a_sample_is_drawn_by_ids_and_so_the_same_whenever_it_is_drawn(shop: Shop) -> None:
    numbers = range(2_000, 2_300)
    path = shop.file("sampled.bson", feed(numbers, seed=2_000))
    first = shop.imported(path, sample=0.25)["counters"]
    assert first["read"] == len(numbers)
    assert 40 < first["imported"] < 110
    assert first["imported"] + first["left_out"] == len(numbers)
    drawn = {n for n in numbers if shop.product(str(n))}
    assert len(drawn) == first["imported"]

    turned = shop.file("turned.bson", feed(reversed(numbers), seed=2_000))
    again = shop.imported(turned, sample=0.25)["counters"]
    assert (again["left_out"], again["created"]) == (first["left_out"], 0)
    assert drawn == {n for n in numbers if shop.product(str(n))}


def test_a_dry_run_counts_what_the_import_then_does_and_writes_nothing(shop: Shop) -> None:
    shop.imported(shop.file("there.jsonl", _lines(range(3_000, 3_010))), "jsonl")
    path = shop.file(
        "rehearsed.jsonl",
        _lines(range(3_000, 3_030))  # ten of them are there
        + line(id=3_029, category=["Home", "Lamps"], images=["3.jpg"])
        + line(id="a/b", images=["3.jpg"])
        + line(id=3_040, images=["nowhere.jpg"])
        + line(id=3_041, category=["Home", "Mugs"], images=["3.jpg", "nowhere.jpg"]),
    )
    before = _everything(shop)
    rehearsed = shop.imported(path, "jsonl", dry_run=True)
    assert _everything(shop) == before
    told = _letters(shop, rehearsed["import_id"])
    assert [code for code, _ in told] == ["bad_product_id", "missing_picture", "missing_picture"]
    assert dict(rehearsed["findings"]["categories"]) == {"Home > Lamps": 30, "Home > Mugs": 1}

    ended = shop.imported(path, "jsonl")
    assert ended["counters"] == rehearsed["counters"]
    assert ended["state"] == rehearsed["state"] == "partially_succeeded"
    assert _letters(shop, ended["import_id"]) == told
    assert _everything(shop) != before


def _lines(numbers: range) -> bytes:
    return b"".join(line(id=n, category=["Home", "Lamps"], images=["3.jpg"]) for n in numbers)


def _letters(shop: Shop, import_id: str) -> list[tuple[str, int]]:
    return [(letter["code"], letter["offset"]) for letter in shop.failures(import_id)]


@pytest.fixture(autouse=True)
def _picture(shop: Shop) -> None:
    shop.file("3.jpg", jpeg(3))


def _everything(shop: Shop) -> tuple[list[list[Any]], list[Path]]:
    """Products and pictures of the catalogue once they are quiet, and the files of their bytes."""
    data = shop.folder.parent / "data"

    def quiet() -> bool:
        stats = shop.admin.get("/v1/stats").json()
        return not any((*stats["pending"].values(), *stats["images_waiting"].values()))

    until(quiet, "the house never rests")
    with closing(sqlite3.connect(data / "catalogue.sqlite")) as db:
        rows = [db.execute(f"SELECT * FROM {one} ORDER BY 1, 2").fetchall() for one in _TABLES]  # noqa: S608
    files = sorted((data / "blobs" / "tenants" / "default" / "packs").rglob("*"))
    assert all((*rows, files)), "nothing to compare"
    return rows, files


def test_the_same_feed_again_embeds_nothing_and_no_index_moves(shop: Shop) -> None:
    path = shop.file("again.bson", feed(range(4_000, 4_200), seed=4_000))
    shop.imported(path)
    (_, files), generation = _everything(shop), _generation(shop)
    counters = shop.imported(path)["counters"]
    assert (counters["unchanged"], counters["imported"], counters["embedded"]) == (200, 0, 0)
    assert _everything(shop)[1] == files
    assert _generation(shop) == generation


def _generation(shop: Shop) -> int:
    """Of the index, once compaction has come to rest too."""

    def look() -> int:
        answer = shop.shopper.post("/v1/search/image", content=jpeg(1)).json()
        return int(answer["meta"]["generation"])

    return steady(look, "the index never rests")


def test_an_import_waits_while_it_is_paused_and_goes_on_where_it_was(shop: Shop) -> None:
    numbers = range(10_000, 10_000 + MANY)
    import_id = shop.begin(shop.file("paused.bson", feed(numbers, seed=10_000)))
    read = paused_in_the_middle(shop, import_id)
    assert shop.view(import_id)["chunks"]["waiting"] > 0
    assert read_so_far(shop, import_id) == read
    shop.ask(import_id, "resume")
    ended = shop.ended(import_id)
    assert (ended["state"], ended["counters"]["imported"]) == ("succeeded", MANY)
    assert ended["counters"]["created"] == MANY


def test_what_a_cancelled_import_brought_in_stays_and_nothing_follows(shop: Shop) -> None:
    numbers = range(20_000, 20_000 + MANY)
    import_id = shop.begin(shop.file("cancelled.bson", feed(numbers, seed=20_000)))
    read = paused_in_the_middle(shop, import_id)
    assert shop.ask(import_id, "cancel")["state"] == "cancelled"
    assert shop.admin.post(f"/v1/imports/{import_id}:resume").status_code == 409
    ended = shop.view(import_id)
    assert ended["counters"]["imported"] == read
    assert ended["chunks"]["waiting"] == 0 < ended["chunks"]["cancelled"]
    assert sum(shop.product(str(n)) is not None for n in numbers[::64]) < len(numbers[::64])


def test_events_tell_of_an_import_from_its_beginning_to_its_end(shop: Shop) -> None:
    path = shop.file("watched.bson", feed(range(30_000, 30_000 + MANY), seed=30_000))
    import_id = shop.begin(path)
    with shop.admin.stream("GET", f"/v1/jobs/{import_id}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(one[6:]) for one in events.iter_lines() if one.startswith("data: ")]
    read = [one["progress"]["read"] for one in told]
    assert len(read) > 1
    assert read == sorted(read)
    assert (told[-1]["state"], read[-1]) == ("succeeded", MANY)


def test_a_product_put_in_the_middle_of_a_long_import_is_found_within_five_seconds(
    shop: Shop,
) -> None:
    numbers = range(40_000, 40_000 + 4 * MANY)
    import_id = shop.begin(shop.file("long.bson", feed(numbers, seed=40_000)))
    until(lambda: shop.view(import_id)["counters"]["read"] > 0, "the import does not begin")
    answer = shop.admin.put(
        "/v1/products/urgent",
        params={"wait": "searchable", "within": "5s"},
        json=body(jpeg(49_999)),
    )
    assert shop.view(import_id)["state"] == "running", "the import was over too soon"
    assert answer.json()["state"] == "searchable", answer.text
    assert shop.hits(jpeg(49_999))["urgent"] > 0.99
    assert shop.ended(import_id)["counters"]["imported"] == len(numbers)


def test_a_shops_own_word_stands_against_an_import_that_was_begun_before_it(shop: Shop) -> None:
    there = entries(range(50_000, 50_000 + MANY), seed=50_000)
    late = record("by-hand", [{"picture": jpeg(50_000)}], title="From the feed")
    import_id = shop.begin(shop.file("overtaken.bson", b"".join([*there, late])))
    paused_in_the_middle(shop, import_id)
    put(shop, "by-hand", jpeg(59_999), title="From the shop")
    shop.ask(import_id, "resume")
    counters = shop.ended(import_id)["counters"]
    assert (counters["imported"], counters["superseded"]) == (MANY, 1)
    product = shop.product("by-hand")
    assert product is not None
    assert product["title"] == "From the shop"
