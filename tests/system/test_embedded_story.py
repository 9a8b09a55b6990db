"""From a picture to a hit, as a shop lives it: the whole house in one process, everything real."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.demo import Demo, demo
from tests.system.shop import hits, photo, put, searched, until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo(tmp_path_factory.mktemp("house") / "data") as running:
        yield running


def test_a_product_put_in_is_found_by_its_picture_with_a_thumbnail_that_loads(house: Demo) -> None:
    picture = photo("mug", "striped")
    assert (
        put(house, "story-mug", picture, title="Striped mug", price=12.5)["state"] == "searchable"
    )
    first = hits(house, picture)[0]
    assert (first["product_id"], first["title"]) == ("story-mug", "Striped mug")
    assert first["similarity"] > 0.99
    thumbnail = house.shopper.get(first["thumbnail_url"], headers={"Authorization": ""})
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert len(thumbnail.content) > 500


def test_the_same_picture_twice_is_stored_and_embedded_once(house: Demo) -> None:
    before = house.admin.get("/v1/stats").json()["images"]
    picture = photo("teapot", "dotted")
    one = put(house, "twin-1", picture, title="A")
    two = put(house, "twin-2", picture, title="B")
    assert one["images"] == two["images"]
    assert house.admin.get("/v1/stats").json()["images"] == before + 1


def test_a_picture_that_was_asked_about_is_not_embedded_again(house: Demo) -> None:
    picture = photo("mug", "checked")
    first, *others = (searched(house, picture)["meta"]["timings_ms"]["embed"] for _ in range(6))
    assert min(others) < first / 2


def test_the_same_product_again_changes_nothing(house: Demo) -> None:
    picture = photo("chair")
    first = put(house, "again", picture, title="Chair")
    again = put(house, "again", picture, title="Chair")
    assert (again["status"], again["version"]) == ("unchanged", first["version"])


def test_a_truncated_picture_among_ten_hurts_no_other_and_says_why(house: Demo) -> None:
    pictures = [photo("lamp", "dotted", scale=0.6 + n / 20) for n in range(10)]
    pictures[4] = pictures[4][:-200]
    answer = put(house, "ten", *pictures, title="Ten lamps")
    assert answer["state"] == "searchable"
    (index,) = house.admin.get("/v1/products/ten/presence").json()["indexes"]
    states = [image["state"] for image in index["images"]]
    assert states == ["embedded"] * 4 + ["failed"] + ["embedded"] * 5
    assert index["images"][4]["reason"]
    assert hits(house, pictures[7])[0]["product_id"] == "ten"


def test_a_product_with_no_usable_picture_is_rejected_with_the_reason(house: Demo) -> None:
    answer = put(house, "hopeless", photo("sun hat")[:-300])
    assert answer["state"] == "rejected"
    assert answer["reason"]


def test_a_price_patch_is_seen_by_the_next_filtered_search_and_no_vector_moves(house: Demo) -> None:
    picture = photo("sofa", "checked")
    put(house, "sofa", picture, title="Sofa", price=900.0)
    cheap = {
        "query": {"products": [{"id": "story-mug"}]},
        "filter": {"field": "price", "lte": 500},
    }
    before = house.admin.get("/v1/stats").json()

    answer = house.admin.patch(
        "/v1/products/sofa", params={"wait": "searchable", "within": "10s"}, json={"price": 450.0}
    )
    assert answer.status_code == 200, answer.text
    found = house.shopper.post("/v1/search", json=cheap).json()["hits"]
    assert "sofa" in {hit["product_id"] for hit in found}
    assert house.admin.get("/v1/stats").json()["images"] == before["images"]


def test_a_deleted_product_is_never_found(house: Demo) -> None:
    picture = photo("umbrella", "zigzag")
    put(house, "gone", picture)
    assert hits(house, picture)[0]["product_id"] == "gone"
    assert house.admin.delete("/v1/products/gone").is_success
    assert "gone" not in {hit["product_id"] for hit in hits(house, picture)}


def test_every_backend_that_is_there_finds_the_same_and_one_that_is_not_says_how(
    house: Demo,
) -> None:
    picture = photo("mug", "striped")
    backends = house.shopper.get("/v1/backends").json()["backends"]
    for backend in backends:
        if backend["configured"]:
            assert hits(house, picture, backend=backend["name"])[0]["product_id"] == "story-mug"
    answer = house.shopper.post(
        "/v1/search/image", params={"backend": "elasticsearch"}, content=picture
    )
    assert answer.status_code == 409
    assert "LOOKALIKE_ELASTICSEARCH" in answer.json()["detail"]


def test_stopping_and_starting_again_keeps_everything(tmp_path: Path) -> None:
    picture = photo("book", "floral")
    with demo(tmp_path / "data") as first:
        put(first, "kept", picture, title="Kept")
    with demo(tmp_path / "data", stop=signal.SIGKILL) as second:
        assert hits(second, picture)[0]["product_id"] == "kept"
        assert second.said["admin_key"] == first.said["admin_key"]
        put(second, "after", photo("ball"), title="After")
    with demo(tmp_path / "data") as third:
        until(lambda: bool(hits(third, photo("ball"))))
        assert hits(third, photo("ball"))[0]["product_id"] == "after"


def test_the_sample_catalogue_comes_in_through_the_import_and_only_once(tmp_path: Path) -> None:
    with demo(tmp_path / "data", catalogue="sample") as first:
        assert first.said["products"] >= 300
        (job,) = first.admin.get("/v1/jobs").json()["jobs"]
        assert job["state"] == "succeeded"
    started = time.monotonic()
    with demo(tmp_path / "data", catalogue="sample") as second:
        assert second.said["products"] == first.said["products"]
        assert len(second.admin.get("/v1/jobs").json()["jobs"]) == 1
    assert time.monotonic() - started < 60
