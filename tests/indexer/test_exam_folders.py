"""Whose product a picture of a folder is of."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.indexer.exam.folders import Layout, filed
from shared.errors import Invalid


def of(
    folder: Path, names: Sequence[str], layout: Layout | None = None
) -> dict[str, tuple[str, str]]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return {one.name: (one.product, one.category) for one in filed(folder, layout)}


def test_a_folder_in_a_folder_is_a_product(tmp_path: Path) -> None:
    assert of(tmp_path, ["lamps/one/a.jpg", "lamps/one/b.png", "chairs/two/a.webp"]) == {
        "lamps/one/a.jpg": ("lamps/one", "lamps"),
        "lamps/one/b.png": ("lamps/one", "lamps"),
        "chairs/two/a.webp": ("chairs/two", "chairs"),
    }


def test_a_folder_of_many_is_a_category_however_deep(tmp_path: Path) -> None:
    names = [f"food/fruit/Apple{n:03}.jpg" for n in range(17)]
    found = of(tmp_path, names)
    assert {category for _, category in found.values()} == {"food/fruit"}
    assert len({product for product, _ in found.values()}) == 17


def test_what_comes_before_a_short_number_is_the_product(tmp_path: Path) -> None:
    found = of(
        tmp_path, ["lamps/4711_1.jpg", "lamps/4711_2.jpg", "lamps/4712_1.jpg", "lamps/x.jpg"]
    )
    assert [product for product, _ in found.values()] == [
        *("lamps/4711", "lamps/4711", "lamps/4712", "lamps/x.jpg")
    ]


def test_numbered_pictures_alone_in_their_folder_are_no_product(tmp_path: Path) -> None:
    found = of(tmp_path, ["lamps/lamp-1.jpg", "lamps/lamp-2.jpg"])
    assert len({product for product, _ in found.values()}) == 2


@pytest.mark.parametrize(("layout", "products"), [("folder", 1), ("name", 1), ("picture", 2)])
def test_a_layout_can_be_said(tmp_path: Path, layout: Layout, products: int) -> None:
    found = of(tmp_path, ["lamps/tall/lamp-1.jpg", "lamps/tall/lamp-2.jpg"], layout)
    assert len({product for product, _ in found.values()}) == products


def test_pictures_beside_the_folders_have_no_category(tmp_path: Path) -> None:
    assert of(tmp_path, ["a.jpg"]) == {"a.jpg": ("a.jpg", "")}


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="holds no pictures"):
        of(tmp_path, ["readme.txt"])
