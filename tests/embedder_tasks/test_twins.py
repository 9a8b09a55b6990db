"""One photo in several savings: told of at an import's end, never merged."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from services.embedder.inprocess import InProcessEmbedder
from services.embedder.model import BUNDLED, DEFAULT
from services.embedder.twins import LISTED, Twins, alike, find_twins
from shared.catalogue.images import ImageWrite
from shared.images import Place, sha256_of

Pixels = NDArray[np.uint8]


@cache
def drawn(seed: int) -> Pixels:
    """A dark shape on soft ground, another for every seed."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(120, 255, (5, 5, 3)).astype(np.float32)
    pixels = cv2.resize(rough, (200, 200), interpolation=cv2.INTER_CUBIC)
    points = rng.integers(20, 180, (7, 2)).astype(np.int32)
    cv2.fillPoly(pixels, [points], [int(value) for value in rng.integers(0, 200, 3)])
    return np.clip(pixels, 0, 255).astype(np.uint8)


def saved(pixels: Pixels, quality: int = 90) -> bytes:
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(pixels), quality=quality, colorsubsampling="420"
        )
    )


def smaller(pixels: Pixels) -> Pixels:
    return cv2.resize(pixels, (100, 100), interpolation=cv2.INTER_AREA).astype(np.uint8)


SAVED_ANEW = {
    "re-encoded": lambda p: saved(p, 40),
    "half as large": lambda p: saved(smaller(p)),
    "half as large, and re-encoded": lambda p: saved(smaller(p), 60),
    "as PNG": lambda p: cv2.imencode(".png", p[..., ::-1])[1].tobytes(),
    "trimmed": lambda p: saved(p[2:-2, 2:-2]),
}


def test_content_and_colour_judge_and_style_does_not() -> None:
    cosines = {
        "content": np.array([0.99, 0.99, 0.7], np.float32),
        "style": np.array([0.2, 0.99, 0.99], np.float32),
        "colour": np.array([0.99, 0.9, 0.99], np.float32),
    }
    assert alike(cosines).tolist() == [True, False, False]  # type: ignore[arg-type]


@pytest.fixture
def shop(house: Any) -> Any:
    """The house with the bundled model."""
    return house.with_ports(embedder=InProcessEmbedder(BUNDLED / DEFAULT))


def brought_in(shop: Any, *pictures: bytes, first: int = 1) -> Any:
    """The import of a product a picture, as it stands at its end."""
    records = shop.records(*((first + n, [data]) for n, data in enumerate(pictures)))
    return shop.bring_in(shop.start_import(records))


def report(shop: Any, job: Any) -> list[list[tuple[str, bool, int]]]:
    """The groups; (sha256, imported, distance) a picture."""
    blob = job.findings["twins"]["blob"]
    lines = [] if blob is None else shop.ports.blobs.read(blob).splitlines()
    groups = [json.loads(line)["pictures"] for line in lines]
    return [[(p["sha256"], p["imported"], p["distance"]) for p in group] for group in groups]


@pytest.mark.parametrize("how", SAVED_ANEW)
def test_a_photo_saved_anew_is_told_of_and_not_merged(shop: Any, how: str) -> None:
    known, anew = saved(drawn(1)), SAVED_ANEW[how](drawn(1))
    brought_in(shop, known, saved(drawn(2)))
    job = brought_in(shop, anew, saved(drawn(3)), first=11)
    assert {n: job.findings["twins"][n] for n in ("groups", "pictures")} == {
        "groups": 1,
        "pictures": 2,
    }
    (group,) = report(shop, job)
    assert group[0] == (sha256_of(known), False, 0)
    assert (group[1][:2], group[1][2] <= 6) == ((sha256_of(anew), True), True)
    assert shop.product("1").images == (sha256_of(known),)
    assert shop.product("11").images == (sha256_of(anew),)
    assert (job.state, shop.counters(job.import_id).imported) == ("succeeded", 2)


def test_different_photos_are_no_twins(shop: Any) -> None:
    job = brought_in(shop, *(saved(drawn(seed)) for seed in range(12)))
    assert (job.findings["twins"]["groups"], job.findings["twins"]["blob"]) == (0, None)


def test_exact_duplicates_are_one_image_and_no_twins(shop: Any) -> None:
    brought_in(shop, saved(drawn(1)))
    job = brought_in(shop, saved(drawn(1)), saved(drawn(2)), first=11)
    assert job.findings["twins"]["groups"] == 0


def test_twins_of_earlier_imports_are_not_told_again(shop: Any) -> None:
    brought_in(shop, saved(drawn(1)), saved(drawn(1), 60))
    job = brought_in(shop, saved(drawn(2)), first=11)
    assert report(shop, job) == []


def test_several_savings_are_one_group_and_the_largest_comes_first(shop: Any) -> None:
    many = [saved(drawn(1), quality) for quality in (90, 75, 60)]
    job = brought_in(shop, saved(drawn(2)), *many, saved(drawn(2), 60))
    assert job.findings["twins"]["pictures"] == 5
    first, second = report(shop, job)
    assert {sha256 for sha256, *_ in first} == {sha256_of(data) for data in many}
    assert len(second) == 2


def test_what_shares_a_hash_alone_is_no_twin(house: Any) -> None:
    """The tiny embedder gives every picture the same hash, and a vector of its own."""
    job = brought_in(house, *(house.picture(name) for name in "abcd"))
    assert job.findings["twins"]["groups"] == 0


def crowd(house: Any, job: Any, count: int, *, sign: int = 1) -> Sequence[str]:
    """So many images of one hash and one vector, brought by the import, without their bytes."""
    dim = house.ports.embedder.spaces.dim
    vector = np.full(dim, sign, np.float32)
    for part in house.ports.embedder.spaces.slices().values():
        vector[part] /= np.linalg.norm(vector[part])
    names = [f"{sign % 9}{number:063x}" for number in range(count)]
    place = Place(f"tenants/shop/packs/{job.import_id}/x", 0, 1)
    vectors = ((house.ports.fingerprint, vector.astype("<f2").tobytes()),)
    late = house.clock() + 60_000
    house.ports.catalogue.images.put(
        [
            ImageWrite("shop", name, place, "image/png", 1, 1, late, "80" + "0" * 14, None, vectors)
            for name in names
        ]
    )
    return names


def test_a_crowd_of_one_picture_is_one_group_of_which_the_first_are_named(house: Any) -> None:
    job = house.state(house.start_import(b""))
    names = crowd(house, job, LISTED + 30)
    found = find_twins(house.ports, job)
    assert (found.groups, found.pictures, found.left_out) == (1, LISTED + 30, 0)
    assert found.blob is not None
    (group,) = [json.loads(line) for line in house.ports.blobs.read(found.blob).splitlines()]
    assert group["count"] == LISTED + 30
    assert [picture["sha256"] for picture in group["pictures"]] == names[:LISTED]


def test_twins_that_were_there_are_not_told_for_a_hash_that_they_share(house: Any) -> None:
    job = house.state(house.start_import(b""))
    crowd(house, replace(job, import_id="imp_other"), 3)
    crowd(house, job, 1, sign=-1)
    assert find_twins(house.ports, job) == Twins()


def test_an_import_that_brought_no_picture_has_nothing_to_tell(house: Any) -> None:
    job = house.state(house.start_import(b""))
    crowd(house, replace(job, import_id="imp_other"), 5)
    assert find_twins(house.ports, job) == Twins()


def test_pictures_of_other_tenants_are_not_looked_at(house: Any) -> None:
    job = house.state(house.start_import(b""))
    crowd(house, job, 5)
    assert find_twins(house.ports, replace(job, tenant="other")) == Twins()


def test_whoever_looks_for_twins_can_tell_all_the_while_that_it_is_at_it(house: Any) -> None:
    job, told = house.state(house.start_import(b"")), []
    crowd(house, job, 2)
    find_twins(house.ports, job, lambda: told.append(house.clock()))
    assert len(told) > 80


def test_every_report_is_a_blob_of_its_own(house: Any) -> None:
    job = house.state(house.start_import(b""))
    crowd(house, job, 2)
    assert find_twins(house.ports, job).blob != find_twins(house.ports, job).blob
