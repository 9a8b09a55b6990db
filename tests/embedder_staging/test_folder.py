"""Category folders: what is a product, which id it has, what is left out and said so."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.products import is_product_id
from tests.embedder_staging.given import ranged, staged


def _with(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_a_picture_is_a_product_and_the_folders_above_it_are_its_category(tmp_path: Path) -> None:
    (document,), report = staged("folder", _with(tmp_path, "Fruit/Apple/Royal_Gala-01.jpg"))
    assert document == {
        "product_id": "Fruit~Apple~Royal_Gala-01",
        "title": "Royal Gala 01",
        "category": ["Fruit", "Apple"],
        "images": [{"path": "Fruit/Apple/Royal_Gala-01.jpg"}],
    }
    assert report.oddities == {}


@pytest.mark.parametrize(
    "stem", ["0017", "a26fcf8f-e1a3-4607-9854-9afef6745c86", "9afef6745c86a26f"]
)
def test_a_name_that_says_nothing_gives_way_to_the_folder_s(tmp_path: Path, stem: str) -> None:
    (document,), _ = staged("folder", _with(tmp_path, f"summer_hats/{stem}.jpg"))
    assert document["title"] == "summer hats"


def test_pictures_come_in_the_same_order_each_time(tmp_path: Path) -> None:
    names = ["z.jpg", "a/2.jpg", "a/10.png", "a/b/1.webp", "b/1.JPEG"]
    documents, _ = staged("folder", _with(tmp_path, *names))
    paths = [document["images"][0]["path"] for document in documents]
    assert paths == ["z.jpg", "a/10.png", "a/2.jpg", "a/b/1.webp", "b/1.JPEG"]


def test_pictures_that_differ_in_suffix_alone_are_two_products(tmp_path: Path) -> None:
    documents, _ = staged("folder", _with(tmp_path, "hat/a.jpg", "hat/a.jpg.x.jpg", "hat/a.png"))
    ids = [document["product_id"] for document in documents]
    assert len(set(ids)) == 3
    assert "hat~a" in ids


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.lists(
            st.text("ab~. _-\n\N{ZERO WIDTH SPACE}é", min_size=1, max_size=60).filter(
                lambda name: not name.startswith(".")
            ),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_every_id_is_legal_and_no_two_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, names: list[list[str]]
) -> None:
    root = tmp_path_factory.mktemp("names")
    for parts in names:
        for suffix in (".jpg", ".png"):
            _with(root, "/".join([*(f"d{part}" for part in parts[:-1]), parts[-1] + suffix]))
    documents, _ = staged("folder", root)
    ids = [document["product_id"] for document in documents]
    assert len(ids) == len(set(ids)) == sum(len(files) for *_, files in os.walk(root))
    assert all(is_product_id(name) and name == name.strip() for name in ids)
    assert all((root / document["images"][0]["path"]).is_file() for document in documents)


def test_a_picture_of_a_kind_that_is_not_taken_is_there_to_fail(tmp_path: Path) -> None:
    documents, _ = staged("folder", _with(tmp_path, "a/old.gif", "a/empty.jpg"))
    assert [document["title"] for document in documents] == ["empty", "old"]


def test_files_that_are_no_pictures_are_told_and_hidden_ones_are_not(tmp_path: Path) -> None:
    names = ["README.txt", "a/classes.csv", ".DS_Store", "a/._1.jpg", ".git/1.jpg", "a/1.jpg"]
    documents, report = staged("folder", _with(tmp_path, *names))
    assert [document["product_id"] for document in documents] == ["a~1"]
    assert report.oddities["no_picture"]["count"] == 2
    assert "README.txt" in report.oddities["no_picture"]["first"]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    _with(tmp_path, "root/a/1.jpg", "elsewhere/secret.jpg")
    (tmp_path / "root/out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/a/round").symlink_to(tmp_path / "root")
    documents, report = staged("folder", tmp_path / "root")
    assert [document["product_id"] for document in documents] == ["a~1"]
    assert report.oddities["linked_folder"]["count"] == 2


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    _with(tmp_path, "1.jpg", os.fsdecode(b"caf\xe9.jpg"))
    documents, report = staged("folder", tmp_path)
    assert len(documents) == 1
    assert "rename" in report.oddities["bad_name"]["first"]


def test_a_folder_that_went_away_is_told_and_its_neighbours_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = _with(tmp_path, "a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def closed(path: Path) -> "os._ScandirIterator[str]":
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(str(path))

    monkeypatch.setattr(os, "scandir", closed)
    documents, report = staged("folder", root)
    assert [document["product_id"] for document in documents] == ["b~2"]
    assert "Permission denied" in report.oddities["closed_folder"]["first"]


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be listed"):
        staged("folder", tmp_path / "nowhere")


def test_bytes_are_no_folder_and_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="folder of the server"):
        staged("folder", ranged(b""))
    with pytest.raises(Invalid, match="name the file"):
        staged("parquet", tmp_path)


@pytest.mark.parametrize(
    ("name", "count", "classes"), [("clothing/train", 3068, 10), ("grocery/train", 2640, 81)]
)
def test_the_reference_photos_are_read_whole(name: str, count: int, classes: int) -> None:
    data = os.environ.get("LOOKALIKE_DATA")
    if not data:
        pytest.skip("LOOKALIKE_DATA names no folder with the reference photos")
    documents, report = staged("folder", Path(data) / name)
    assert len({document["product_id"] for document in documents}) == len(documents) == count
    assert len({tuple(document["category"]) for document in documents}) == classes
    assert report.oddities == {}
