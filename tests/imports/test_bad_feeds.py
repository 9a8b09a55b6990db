"""Feeds that are wrong as a whole, change while they are read, or are mended and tried again."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.imports.bad_records import CSV_HEADER, Form, good, line, record
from tests.imports.feeds import entries, feed, paused_in_the_middle
from tests.imports.pictures import HELD, jpeg, turned_jpeg
from tests.imports.shop import Shop, until

MANY = 1_500


def test_a_picture_lies_as_it_was_held_whichever_of_eight_ways_that_was(shop: Shop) -> None:
    turned = [record(n, [{"picture": turned_jpeg(7, n)}]) for n in HELD]
    path = shop.file("turned.bson", b"".join(turned))
    assert shop.imported(path)["counters"]["imported"] == len(HELD)

    def all_alike() -> bool:
        found = shop.hits(jpeg(7), limit=len(HELD))
        return {str(n) for n in HELD} <= {one for one, alike in found.items() if alike > 0.97}

    until(all_alike, "not all orientations are upright")


@pytest.mark.parametrize("between", [0, 200], ids=["the same chunk", "another chunk"])
def test_of_an_id_that_comes_twice_the_later_record_stands(shop: Shop, between: int) -> None:
    base = 10_000 + 1_000 * bool(between)
    first, *rest = entries(range(base, base + 1 + between), seed=base)
    later = record(base, [{"picture": jpeg(base + 999)}], title="Later")
    ended = shop.imported(shop.file(f"twice-{between}.bson", first + b"".join(rest) + later))
    counters = ended["counters"]
    assert (counters["read"], counters["created"], counters["failed"]) == (
        between + 2,
        between + 1,
        0,
    )
    product = shop.product(str(base))
    assert product is not None
    assert product["title"] == "Later"
    shop.finds(str(base), jpeg(base + 999))


@pytest.mark.parametrize(
    ("name", "images", "reason"),
    [("bare", None, "has no pictures"), ("lost", ["nowhere.jpg"], "no picture 'nowhere.jpg'")],
)
def test_a_feed_with_nothing_right_stops_by_itself_and_says_the_first_reason(
    shop: Shop, name: str, images: object, reason: str
) -> None:
    lines = [line(id=n, images=images) for n in range(20_000, 23_000)]
    ended = shop.imported(shop.file(f"{name}.jsonl", b"".join(lines)), "jsonl")
    assert ended["state"] == "failed"
    assert ended["detail"].startswith("None of the first ")
    assert reason in ended["detail"]
    failed = shop.view(ended["import_id"])["counters"]["failed"]
    assert 500 <= failed < len(lines)


def test_a_feed_read_as_another_format_has_failed_and_says_what_is_there(shop: Shop) -> None:
    path = shop.file("other.bson", b"".join(good("jsonl", n) for n in range(30_000, 30_010)))
    ended = shop.imported(path, "bson")
    assert (ended["state"], ended["counters"]["imported"]) == ("failed", 0)
    assert [letter["code"] for letter in shop.failures(ended["import_id"])] == ["bad_length"]


def test_an_empty_feed_is_done_at_once(shop: Shop) -> None:
    ended = shop.imported(shop.file("empty.jsonl", b""), "jsonl")
    assert (ended["state"], ended["counters"]["read"]) == ("succeeded", 0)


@pytest.mark.parametrize("head", [b"", b"id,id,images\n", b"id,,images\n"])
def test_a_csv_feed_without_a_good_header_is_not_begun_and_says_why(
    shop: Shop, head: bytes
) -> None:
    ended = shop.imported(shop.file("headless.csv", head), "csv")
    assert (ended["state"], ended["counters"]["read"]) == ("failed", 0)
    assert "first row" in ended["detail"] or "the name 'id'" in ended["detail"]


def test_a_parquet_file_that_is_damaged_is_told_of_before_anything_is_written(shop: Shop) -> None:
    table = pa.table({"id": ["66000", "66001"], "image": [jpeg(66_000), jpeg(66_001)]})
    whole = shop.folder / "whole.parquet"
    pq.write_table(table, whole)
    cut = shop.file("cut.parquet", whole.read_bytes()[:-100])
    ended = shop.imported(cut, "parquet")
    assert (ended["state"], ended["counters"]["read"]) == ("failed", 0)
    assert "Parquet" in ended["detail"]
    assert shop.imported(whole, "parquet")["counters"]["imported"] == 2
    shop.finds("66001", jpeg(66_001))


def test_what_is_no_picture_in_a_folder_is_told_of_and_the_others_are_found(shop: Shop) -> None:
    folder = shop.folder / "mugs"
    folder.mkdir()
    for name, data in (
        ("good.jpg", jpeg(67_000)),
        ("torn.jpg", jpeg(67_001)[:-300]),
        ("empty.jpg", b""),
        ("page.jpg", b"<html>"),
        ("notes.txt", b"not a picture"),
    ):
        (folder / name).write_bytes(data)
    ended = shop.imported(folder, "folder")
    assert (ended["counters"]["imported"], ended["counters"]["failed"]) == (3, 1)
    codes = {letter["code"] for letter in shop.failures(ended["import_id"])}
    assert codes == {"missing_picture", "undecodable_image", "unsupported_media_type"}
    assert ended["findings"]["oddities"]["no_picture"]["count"] == 1
    shop.finds("good", jpeg(67_000))


def test_a_json_of_imaterialist_that_is_cut_off_has_failed_and_says_where(shop: Shop) -> None:
    path = shop.file("train.json", b'{"images": [{"image_id": 1, "url": ["https://a.example/1.jp')
    ended = shop.imported(path, "imaterialist")
    assert (ended["state"], ended["counters"]["read"]) == ("failed", 0)
    assert "byte" in ended["detail"]


@pytest.mark.parametrize("found_by", ["the plan", "a chunk"])
def test_an_import_that_is_to_stop_at_the_first_failure_goes_on_once_it_is_mended(
    shop: Shop, found_by: str
) -> None:
    base = 40_000 if found_by == "the plan" else 50_000
    there = entries(range(base, base + MANY), seed=base)
    mended = record("a-shoe" + found_by[-4:], [{"picture": jpeg(base)}])
    bad = b"\xfa" * len(mended) if found_by == "the plan" else mended.replace(b"a-shoe", b"a/shoe")
    begin, end = b"".join(there[:3]), b"".join(there[3:])
    path = shop.file(f"stop-{base}.bson", begin + bad + end)
    ended = shop.imported(path, on_error="stop")
    assert ended["state"] == "failed"
    assert ended["detail"].startswith("It was to stop at the first failure: The record at byte ")
    assert ended["counters"]["read"] < MANY

    path.write_bytes(begin + mended + end)
    assert shop.ask(ended["import_id"], "retry_failed")["left"] == {}
    ended = shop.ended(ended["import_id"])
    assert ended["state"] == "succeeded", ended
    assert (ended["counters"]["imported"], ended["counters"]["failed"]) == (MANY + 1, 0)
    assert shop.failures(ended["import_id"]) == []


def _halved(n: int) -> bytes:
    return b"\0" * 4 + good("bson", n)[4:]


def _not_utf8(n: int) -> bytes:
    return good("jsonl", n).replace(b'"images"', b'"im\xe9ges"')


def _narrow(n: int) -> bytes:
    return good("csv", n).replace(b",Product", b";Product")


@pytest.mark.parametrize(
    ("form", "bad"), [("bson", _halved), ("jsonl", _not_utf8), ("csv", _narrow)]
)
def test_what_failed_is_brought_in_once_it_is_mended_in_its_place(
    shop: Shop, form: Form, bad: Callable[[int], bytes]
) -> None:
    base = {"bson": 60_000, "jsonl": 61_000, "csv": 62_000}[form]
    numbers = range(base, base + 3)
    for number in numbers:
        shop.file(f"{number}.jpg", jpeg(number))
    head = CSV_HEADER if form == "csv" else b""
    left, middle, right = (good(form, number) for number in numbers)
    path = shop.file(f"mended.{form}", head + left + bad(base + 1) + right)
    ended = shop.imported(path, form)
    assert (ended["counters"]["imported"], ended["counters"]["failed"]) == (2, 1)

    path.write_bytes(head + left + middle + right)
    assert shop.ask(ended["import_id"], "retry_failed") == {"replayed": 1, "left": {}}
    ended = shop.ended(ended["import_id"])
    assert (ended["state"], ended["counters"]["failed"]) == ("succeeded", 0)
    assert (ended["counters"]["read"], ended["counters"]["imported"]) == (3, 3)
    assert shop.failures(ended["import_id"]) == []
    for number in numbers:
        shop.finds(str(number), jpeg(number))


@pytest.mark.parametrize("how", ["gone", "longer"])
def test_a_feed_that_cannot_be_read_again_leaves_everything_as_it_was(shop: Shop, how: str) -> None:
    path = shop.file(f"{how}.jsonl", good("jsonl", 63_500) + _not_utf8(63_501))
    ended = shop.imported(path, "jsonl")
    letters = shop.failures(ended["import_id"])
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + good("jsonl", 63_502))
    answer = shop.ask(ended["import_id"], "retry_failed")
    assert answer["replayed"] == 0
    assert answer["left"][letters[0]["key"]].endswith(
        "Import it anew: what is unchanged costs nothing."
    )
    assert shop.view(ended["import_id"]) == ended
    assert shop.failures(ended["import_id"]) == letters


def test_a_picture_that_was_missing_is_brought_in_once_it_is_there(shop: Shop) -> None:
    shop.file("there.jpg", jpeg(63_000))
    path = shop.file("late.jsonl", line(id=63_000, images=["there.jpg", "late.jpg"]))
    ended = shop.imported(path, "jsonl")
    assert ended["counters"]["imported"] == 1
    assert [letter["code"] for letter in shop.failures(ended["import_id"])] == ["missing_picture"]

    shop.file("late.jpg", jpeg(63_001))
    assert shop.ask(ended["import_id"], "retry_failed")["replayed"] == 1
    assert shop.ended(ended["import_id"])["state"] == "succeeded"
    assert shop.failures(ended["import_id"]) == []
    shop.finds("63000", jpeg(63_001))


def test_a_picture_that_is_none_stays_told_of_however_often_it_is_tried(shop: Shop) -> None:
    path = shop.file("torn.bson", record(64_000, [{"picture": jpeg(64_000)[:-300]}]))
    import_id = str(shop.imported(path)["import_id"])
    assert shop.ask(import_id, "retry_failed") == {"replayed": 1, "left": {}}
    until(lambda: len(shop.failures(import_id)) == 1, "the picture is told of no more")
    assert shop.failures(import_id)[0]["code"] == "undecodable_image"


def test_names_that_nobody_knows_are_told_by_a_mapping(shop: Shop) -> None:
    lines = line(ean=65_000, foto=[{"path": "65000.jpg"}])
    shop.file("65000.jpg", jpeg(65_000))
    path = shop.file("names.jsonl", lines)
    ended = shop.imported(path, "jsonl")
    assert (ended["state"], ended["counters"]["failed"]) == ("failed", 1)
    mapped = shop.imported(path, "jsonl", mapping={"id": "ean", "images": "foto"})
    assert (mapped["state"], mapped["counters"]["imported"]) == ("succeeded", 1)
    shop.finds("65000", jpeg(65_000))


def test_a_file_that_shrinks_while_it_is_read_loses_nothing_once_it_is_whole_again(
    shop: Shop,
) -> None:
    whole = feed(range(70_000, 70_000 + MANY), seed=70_000)
    path = shop.file("shrinks.bson", whole)
    import_id = shop.begin(path)
    read = paused_in_the_middle(shop, import_id)
    path.write_bytes(whole[: len(whole) // 2])
    shop.ask(import_id, "resume")
    ended = shop.ended(import_id)
    assert ended["state"] == "partially_succeeded"
    assert (ended["counters"]["read"], ended["counters"]["failed"]) == (MANY, MANY - read)
    letters = shop.failures(import_id)
    assert {(letter["kind"], letter["code"]) for letter in letters} == {("chunk", "source_changed")}
    assert len(letters) == ended["chunks"]["failed"]

    path.write_bytes(whole)
    shop.ask(import_id, "retry_failed")
    ended = shop.ended(import_id)
    assert (ended["state"], ended["counters"]["imported"]) == ("succeeded", MANY)
    assert shop.failures(import_id) == []


def test_a_file_replaced_by_one_of_its_size_tells_what_it_tore(shop: Shop) -> None:
    """Every byte is read as what stands there then; what fits no more is told of."""
    first = entries(range(80_000, 80_000 + MANY), seed=80_000)
    path = shop.file("replaced.bson", b"".join(first))
    import_id = shop.begin(path)
    paused_in_the_middle(shop, import_id)
    path.write_bytes(b"".join(reversed(first)))
    shop.ask(import_id, "resume")
    ended = shop.ended(import_id)
    letters = shop.failures(import_id)
    assert ended["state"] == "partially_succeeded"
    assert len(letters) == ended["counters"]["failed"] > 0
    assert {letter["kind"] for letter in letters} == {"record"}

    assert shop.imported(path)["state"] == "succeeded"
    assert all(shop.product(str(n)) for n in range(80_000, 80_000 + MANY, 100))
