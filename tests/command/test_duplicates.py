"""One photo in several savings, by the command: two files offline, and the report of an import."""

import json
from pathlib import Path

import cv2
import pytest

from lookalike import Lookalike
from tests.client.house import House
from tests.command.conftest import Run


@pytest.fixture
def anew(photos: list[Path], tmp_path: Path) -> Path:
    """The first photo, smaller and saved badly."""
    pixels = cv2.imread(str(photos[0]))
    assert pixels is not None
    saved = tmp_path / "anew.jpg"
    cv2.imwrite(
        str(saved),
        cv2.resize(pixels, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA),
        [cv2.IMWRITE_JPEG_QUALITY, 60],
    )
    return saved


def test_two_files_are_identical_the_same_photo_or_different(
    alone: Run, photos: list[Path], anew: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(photos[0].read_bytes())
    identical = alone("duplicates", photos[0], copy, "--json")
    assert (identical.code, json.loads(identical.out)["verdict"]) == (0, "identical")
    same = alone("duplicates", photos[0], anew, "--json")
    told = json.loads(same.out)
    assert (same.code, told["verdict"], told["distance"] <= 6) == (0, "same photo", True)
    assert min(told["similarity"]["content"], told["similarity"]["colour"]) >= 0.95
    different = alone("duplicates", photos[0], photos[1])
    assert (different.code, different.out.splitlines()[0]) == (1, "verdict\tdifferent")


def test_a_file_that_is_no_picture_is_told_and_is_no_answer(
    alone: Run, photos: list[Path], tmp_path: Path
) -> None:
    text = tmp_path / "text.jpg"
    text.write_bytes(b"text")
    told = alone("duplicates", photos[0], text)
    assert (told.code, told.out) == (2, "")
    assert "text.jpg" in told.err
    assert alone("duplicates", photos[0], tmp_path / "gone.jpg").code == 2


def test_an_import_tells_which_photos_the_shop_had_already(
    lookalike: Run, house: House, photos: list[Path], anew: Path, tmp_path: Path
) -> None:
    from shared.sources.bson import encode

    def brought_in(product_id: int, photo: Path) -> str:
        source = tmp_path / f"{product_id}.bson"
        source.write_bytes(encode(product_id, [photo.read_bytes()]))
        done = lookalike("import", "bson", source, "--wait", "--json")
        assert done.code == 0, done.err
        return str(json.loads(done.out)["import_id"])

    brought_in(9_000_001, photos[0])
    import_id = brought_in(9_000_002, anew)
    with Lookalike(house.url, key=house.admin_key) as shop:
        page = shop.duplicates(import_id)
    (group,) = page.duplicates
    assert [picture.imported for picture in group.pictures] == [False, True]
    assert group.pictures[1].product_ids == ("9000002",)
    assert "9000001" in group.pictures[0].product_ids
    listed = lookalike("import", "duplicates", import_id)
    assert (listed.code, listed.out.splitlines()[0]) == (
        0,
        "group\tpicture\timported\tbits apart\tproducts",
    )
    assert f"1\t{group.pictures[1].sha256}\tyes\t" in listed.out
    stated = json.loads(lookalike("import", "duplicates", import_id, "--json").out)
    assert (stated["groups"], stated["pictures"]) == (1, 2)
