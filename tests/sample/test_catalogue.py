import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import simplejpeg

from lookalike.sample.catalogue import CATEGORY_FILE, make
from lookalike.sample.kinds import KINDS
from shared.errors import Invalid
from shared.sources.bson import decode, scan
from shared.sources.categories import categories
from shared.sources.records import ChunkRange, Record, file_reader


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "catalogue.bson"
    make(path, products=120, seed=7)
    return path


@pytest.fixture(scope="module")
def records(sample: Path) -> list[Record]:
    found = []
    with sample.open("rb") as file:
        read = file_reader(file)
        for piece in scan(read, sample.stat().st_size, records=50):
            assert isinstance(piece, ChunkRange)
            found += list(decode(read(piece.offset, piece.length), piece.offset))
    return [item for item in found if isinstance(item, Record)]


def test_every_product_scans_and_decodes_back(records: list[Record]) -> None:
    assert [record.product_id for record in records] == [str(1000 + n) for n in range(120)]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for name in ("one.bson", "two.bson"):
        make(tmp_path / name, products=12, seed=3)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    make(tmp_path / "other.bson", products=12, seed=4)
    assert len(digests) == 1
    assert hashlib.sha256((tmp_path / "other.bson").read_bytes()).hexdigest() not in digests


def test_another_process_writes_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    program = "import sys, pathlib; from lookalike.sample.catalogue import make; "
    program += "make(pathlib.Path(sys.argv[1]), products=8, seed=7)"
    path = tmp_path / "c.bson"
    environment = os.environ | {"PYTHONHASHSEED": "5"}
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program, path], check=True, cwd=root, env=environment)
    assert sample.read_bytes().startswith(path.read_bytes())


def test_a_larger_catalogue_begins_with_the_smaller_one(sample: Path, tmp_path: Path) -> None:
    make(tmp_path / "small.bson", products=15, seed=7)
    assert sample.read_bytes().startswith((tmp_path / "small.bson").read_bytes())


def test_in_a_young_shop_all_kinds_are_there_as_often_as_each_other(records: list[Record]) -> None:
    counts = Counter(record.fields["custom"]["kind"] for record in records)
    assert set(counts) == set(KINDS)
    assert len(counts) >= 20
    assert max(counts.values()) - min(counts.values()) <= 1


def test_every_category_has_a_name_of_three_levels(sample: Path, records: list[Record]) -> None:
    names = categories(sample.with_name(CATEGORY_FILE).read_text(encoding="utf-8"))
    for record in records:
        assert record.category_id is not None
        assert names[record.category_id] == KINDS[record.fields["custom"]["kind"]].category


def test_the_category_file_has_the_columns_of_cdiscount(sample: Path) -> None:
    with sample.with_name(CATEGORY_FILE).open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert header == ["category_id", "category_level1", "category_level2", "category_level3"]


def test_products_have_one_to_four_different_pictures_of_moderate_size(
    records: list[Record],
) -> None:
    counts = Counter(len(record.pictures) for record in records)
    assert set(counts) == {1, 2, 3, 4}
    for record in records:
        assert len(set(record.held)) == len(record.held)
        for picture in record.held:
            height, width, _, _ = simplejpeg.decode_jpeg_header(picture)
            assert (height, width) == (180, 180)
            assert len(picture) < 20_000


def test_no_two_products_look_the_same(records: list[Record]) -> None:
    pictures = [picture for record in records for picture in record.held]
    assert len(set(pictures)) == len(pictures)


def test_what_a_shop_says_of_a_product_is_all_there(records: list[Record]) -> None:
    for record in records:
        said = record.fields
        custom = said["custom"]
        assert (
            said["title"].lower()
            == f"{custom['pattern']} {custom['colour']} {custom['kind'].lower()}"
        )
        assert said["tags"][:2] == [custom["pattern"], custom["colour"]]
        assert said["price"] > 0
        assert said["currency"] == "EUR"
        assert isinstance(said["in_stock"], bool)
        assert said["brand"]
        assert said["url"].endswith(record.product_id)


def test_designs_are_shared_by_things_of_different_kinds(records: list[Record]) -> None:
    designs: dict[tuple[str, ...], set[str]] = {}
    for record in records:
        custom = record.fields["custom"]
        look = (custom["pattern"], custom["colour"], custom["second_colour"])
        designs.setdefault(look, set()).add(custom["kind"])
    assert max(len(kinds) for kinds in designs.values()) >= 3


def test_progress_is_told_after_every_product(tmp_path: Path) -> None:
    seen: list[int] = []
    make(tmp_path / "new folder" / "c.bson", products=4, seed=1, progress=seen.append)
    assert seen == [1, 2, 3, 4]


def test_a_sample_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="at least one product"):
        make(tmp_path / "c.bson", products=0, seed=1)
