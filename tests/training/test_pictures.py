"""Which photos are learnt from, and which of them judge."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.embedder.training.pictures import (
    Photo,
    asked_for,
    enough,
    in_folders,
    lot,
    of_catalogue,
    pixels_of,
    split,
)
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import ImageWrite
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Invalid, NotFound
from shared.images import Place, sha256_of
from shared.products import Attributes
from shared.trainings import Pictures
from tests.training.drawn import draw_folders

LATE = 2**62


def photos_of(*counts: int, each: int = 1) -> list[Photo]:
    """So many products of each category, `each` photos of one."""
    return [
        Photo(f"{category}/{product}", str(category), f"{category}/{product}/{n}", lambda: b"")
        for category, count in enumerate(counts)
        for product in range(count)
        for n in range(each)
    ]


def names(photos: Sequence[Photo]) -> list[str]:
    return [photo.name for photo in photos]


def test_a_category_is_the_path_of_a_folder(tmp_path: Path) -> None:
    draw_folders(tmp_path, categories=2, each=1)
    (tmp_path / "kind" / "1" / "notes.txt").write_text("no picture")
    (tmp_path / "hats" / "straw").mkdir(parents=True)
    (tmp_path / "hats" / "straw" / "A.JPG").write_bytes(b"")
    assert [(photo.category, photo.name) for photo in in_folders(tmp_path)] == [
        ("hats/straw", "hats/straw/A.JPG"),
        ("kind/0", "kind/0/0.jpg"),
        ("kind/1", "kind/1/0.jpg"),
    ]


def test_pictures_of_other_formats_are_told_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "hats").mkdir()
    (tmp_path / "hats" / "a.GIF").write_bytes(b"GIF89a")
    (photo,) = in_folders(tmp_path)
    assert "no JPEG, PNG or WebP" in str(pixels_of(photo))


def test_folders_without_pictures_are_told(tmp_path: Path) -> None:
    (tmp_path / "dress").mkdir()
    with pytest.raises(
        Invalid, match="holds no pictures: put them into a folder for each category"
    ):
        in_folders(tmp_path)


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    draw_folders(tmp_path, categories=1, each=3)
    good, torn, gone = in_folders(tmp_path)
    (tmp_path / torn.name).write_bytes(torn.read()[:500])
    (tmp_path / gone.name).unlink()
    assert not isinstance(pixels_of(good), str)
    assert "damaged or cut off" in str(pixels_of(torn))
    assert "No such file" in str(pixels_of(gone))


def test_one_category_is_nothing_to_learn_from() -> None:
    with pytest.raises(Invalid, match="All 9 photos are of one category, '0'"):
        enough(photos_of(9))


def test_two_categories_need_four_photos_each() -> None:
    with pytest.raises(Invalid, match="1 of 3 categories have 4 photos or more"):
        enough(photos_of(9, 3, 1))
    assert {photo.category for photo in enough(photos_of(9, 3, 4))} == {"0", "2"}


def test_products_are_held_out_whole_and_always_the_same() -> None:
    photos = photos_of(50, 30, each=3)
    parts = split(photos)
    assert sorted(names([*parts.taught, *parts.held_out])) == sorted(names(photos))
    assert not {one.product for one in parts.taught} & {one.product for one in parts.held_out}
    assert 0.1 < len(parts.held_out) / len(photos) < 0.35
    assert names(split(photos[::-1]).held_out) == names(parts.held_out)[::-1]


def test_more_products_change_nobodys_side() -> None:
    few, more = split(photos_of(40, 40)), split(photos_of(80, 40))
    assert set(names(few.held_out)) <= set(names(more.held_out))
    assert set(names(few.taught)) <= set(names(more.taught))


def test_small_categories_keep_two_products_to_judge_by() -> None:
    held_out = [photo.category for photo in split(photos_of(4, 3, 5)).held_out]
    assert held_out.count("0") >= 2
    assert held_out.count("1") == 0
    assert held_out.count("2") >= 2


def test_half_of_a_small_category_teaches_whatever_the_lot() -> None:
    by_lot = sorted(map(str, range(1000)), key=lot)
    photos = [Photo(product, "0", product, lambda: b"") for product in by_lot[:4]]
    assert names(split(photos).held_out) == by_lot[:2]


@pytest.fixture
def catalogue(tmp_path: Path) -> SqliteCatalogue:
    return SqliteCatalogue(tmp_path / "catalogue.sqlite")


@pytest.fixture
def blobs(tmp_path: Path) -> FsspecBlobs:
    return FsspecBlobs((tmp_path / "blobs").as_uri(), tmp_path / "cache")


def stock(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs, products: dict[str, tuple[str, ...]]
) -> None:
    """Two pictures each, four bytes in one pack."""
    for product, category in products.items():
        data = [f"{product}{n}".encode() for n in range(2)]
        blobs.put(f"packs/{product}", b"".join(data))
        shas = tuple(sha256_of(one) for one in data)
        places = [Place(f"packs/{product}", n * len(data[0]), len(data[0])) for n in range(2)]
        catalogue.images.put(
            [
                ImageWrite("default", sha, place, "image/jpeg", 1, 1, LATE)
                for sha, place in zip(shas, places, strict=True)
            ]
        )
        catalogue.products.upsert(
            [
                ProductWrite(
                    "default", product, Attributes(category=category), shas, frozenset(), LATE
                )
            ]
        )


def test_a_catalogues_photos_have_its_categories_and_their_bytes_from_the_blobs(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs
) -> None:
    stock(catalogue, blobs, {"a": ("Wear", "Hats"), "b": ("Wear",), "c": (), "d": ("Wearables",)})
    catalogue.products.delete("default", "d", targets=frozenset(), not_after=LATE)
    found = of_catalogue(catalogue, blobs, "default")
    assert [(one.product, one.category, one.read()) for one in found] == [
        ("a", "Wear > Hats", b"a0"),
        ("a", "Wear > Hats", b"a1"),
        ("b", "Wear", b"b0"),
        ("b", "Wear", b"b1"),
    ]


def test_a_part_of_a_catalogue_is_asked_for(catalogue: SqliteCatalogue, blobs: FsspecBlobs) -> None:
    stock(catalogue, blobs, {"a": ("Wear", "Hats"), "b": ("Wear",), "c": ("Home",)})
    written = {one.product_id: one.date.at for one in catalogue.products.page("default")}

    def asked(**options: object) -> set[str]:
        pictures = Pictures(**options)  # type: ignore[arg-type]
        return {one.product for one in asked_for(pictures, catalogue, blobs, "default")}

    assert asked(categories=(("Wear",),)) == {"a", "b"}
    assert asked(since=written["b"]) == {name for name, at in written.items() if at >= written["b"]}
    with pytest.raises(Invalid, match="No product that is asked for has a category"):
        asked(since=max(written.values()) + 1)


def test_a_cut_of_a_large_catalogue_takes_products_whole(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs
) -> None:
    stock(catalogue, blobs, {f"p{n}": ("Wear",) for n in range(20)})
    found = of_catalogue(catalogue, blobs, "default", most=10)
    assert len({photo.product for photo in found}) == 5


def test_without_a_catalogue_a_folder_has_to_be_named(blobs: FsspecBlobs) -> None:
    with pytest.raises(NotFound, match="name a folder of pictures"):
        asked_for(Pictures(), None, blobs, "default")


def test_bytes_that_are_gone_are_a_sentence_too(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs
) -> None:
    stock(catalogue, blobs, {"a": ("Wear",)})
    (photo, _) = of_catalogue(catalogue, blobs, "default")
    blobs.delete("packs/a")
    assert isinstance(pixels_of(photo), str)
