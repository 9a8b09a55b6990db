"""What one chunk brings in."""

from typing import Any

import pytest

from services.embedder.tasks import handle
from shared.errors import Invalid
from shared.images import sha256_of
from shared.jobs import Counters
from shared.tasks import EmbedImages, FinishImport, ImportChunk, SyncShard


def test_a_chunk_brings_products_with_their_vectors(house: Any) -> None:
    shared = house.picture("shared")
    data = house.records((1, [house.picture("a"), shared]), (2, [shared]), title="Lamp")
    import_id = house.planned(data)
    handle(house.ports, ImportChunk(import_id, 0))
    product = house.product("1")
    assert product.images == (sha256_of(house.picture("a")), sha256_of(shared))
    assert product.attributes.title == "Lamp"
    assert product.written_by == (import_id, 0)
    assert all("f1" in house.image(sha256).vectors for sha256 in product.images)
    assert house.left() == 0
    assert house.embedder.seen[sha256_of(shared)] == 1
    assert house.counters(import_id) == Counters(imported=2, created=2, pictures=2, embedded=2)
    assert house.state(import_id).state == "succeeded"
    rung = set(house.queue.rung)
    assert any(isinstance(task, SyncShard) for task in rung)
    assert not any(isinstance(task, EmbedImages) for task in rung)


def test_all_new_pictures_and_thumbnails_of_a_chunk_lie_in_one_pack(house: Any) -> None:
    names = ["large1", "two", "large3"]
    import_id = house.planned(
        house.records(*((n, [house.picture(s)]) for n, s in enumerate(names)))
    )
    handle(house.ports, ImportChunk(import_id, 0))
    images = [house.image(sha256_of(house.picture(name))) for name in names]
    assert len({image.place.blob for image in images}) == 1
    for name, image in zip(names, images, strict=True):
        place = image.place
        data = house.picture(name)
        assert house.ports.blobs.read(place.blob, place.offset, place.length) == data
        if "large" in name:
            small = image.thumbnail
            found = house.ports.blobs.read(small.blob, small.offset, small.length)
            assert (small.blob, found) == (place.blob, b"small " + data)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_records_with_one_id_the_later_one_stands_in_whatever_order_they_run(
    house: Any, order: tuple[int, int]
) -> None:
    records = [(1, [house.picture("old")]), *((n, [house.picture("x")]) for n in range(2, 5))]
    data = house.records(*records) + house.records((1, [house.picture("new")]))
    import_id = house.planned(data)
    for number in order:
        handle(house.ports, ImportChunk(import_id, number))
    assert house.product("1").images == (sha256_of(house.picture("new")),)
    counters = house.counters(import_id)
    assert counters.read == 5
    assert counters.duplicate == (1 if order == (1, 0) else 0)


def test_within_a_chunk_the_later_record_of_an_id_counts(house: Any) -> None:
    data = house.records((1, [house.picture("old")]), (1, [house.picture("new")]))
    import_id = house.planned(data)
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.product("1").images == (sha256_of(house.picture("new")),)
    assert house.counters(import_id) == Counters(
        imported=1, duplicate=1, created=1, pictures=1, embedded=1
    )


def test_a_picture_that_is_none_leaves_its_product_with_the_others(house: Any) -> None:
    bad, good = b"<html>not found</html>", house.picture("good")
    import_id = house.planned(house.records((1, [bad, good]), (2, [bad])))
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.product("1").images == (sha256_of(bad), sha256_of(good))
    assert house.product("2").images == (sha256_of(bad),)
    image = house.image(sha256_of(bad))
    assert (image.width, image.height) == (0, 0)
    assert house.ports.blobs.read(image.place.blob, image.place.offset, image.place.length) == bad
    assert str(house.error(sha256_of(bad))).startswith("unsupported_media_type: ")
    assert house.letters() == {f"image/{sha256_of(bad)}/f1": "unsupported_media_type"}
    assert house.left() == 0
    assert house.counters(import_id) == Counters(imported=2, created=2, pictures=2, embedded=1)


def test_fields_of_a_record_become_attributes(house: Any) -> None:
    extras = {"title": "Lamp", "price": 9, "tags": ["new"], "custom": {"watts": 40}, "rank": 7}
    data = house.records((1, [house.picture("a")]), **extras)
    import_id = house.planned(data)
    handle(house.ports, ImportChunk(import_id, 0))
    attributes = house.product("1").attributes
    assert (attributes.title, attributes.price, attributes.tags) == ("Lamp", 9.0, ("new",))
    assert attributes.custom == {"watts": 40}


def test_a_field_of_a_wrong_type_fails_its_record_and_names_the_field(house: Any) -> None:
    good = house.records((1, [house.picture("a")]))
    data = good + house.records((2, [house.picture("b")]), price="cheap")
    import_id = house.planned(data)
    handle(house.ports, ImportChunk(import_id, 0))
    (letter,) = house.ports.catalogue.dead.page("shop", source=import_id)
    assert (letter.kind, letter.code, letter.source) == (
        "record",
        "wrong_type",
        (import_id, len(good)),
    )
    assert "'cheap' as price" in letter.detail
    counters = house.counters(import_id)
    assert (counters.imported, counters.failed, counters.read) == (1, 1, 2)
    assert house.state(import_id).state == "partially_succeeded"


def test_a_category_is_found_by_its_number(house: Any) -> None:
    from shared.sources.bson import encode

    data = encode(1, [house.picture("a")], category_id=10)
    data += encode(2, [house.picture("b")], category_id=11)
    import_id = house.planned(data, categories={10: ("Home", "Lamps")})
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.product("1").attributes.category == ("Home", "Lamps")
    assert house.product("2").attributes.category == ("11",)


def test_a_source_that_went_away_is_told_at_once(house: Any) -> None:
    import_id = house.planned(house.records((1, [house.picture("a")])))
    house.ports.blobs.delete(house.state(import_id).source)
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.letters() == {f"chunk/{import_id}/00000000": "not_found"}
    assert house.state(import_id).state == "failed"


def test_a_paused_import_does_nothing(house: Any) -> None:
    import_id = house.planned(house.records((1, [house.picture("a")])))
    house.ports.catalogue.imports.set_state(import_id, "paused")
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.ports.catalogue.products.count("shop") == 0
    handle(house.ports, FinishImport(import_id))
    assert house.state(import_id).state == "paused"


def test_a_picture_seen_before_its_vector_is_rung_for(house: Any) -> None:
    house.upload("a")
    import_id = house.planned(house.records((1, [house.picture("a")])))
    handle(house.ports, ImportChunk(import_id, 0))
    assert EmbedImages("f1", "shop") in house.queue.rung
    assert house.counters(import_id).embedded == 0


def test_a_picture_that_was_doomed_is_taken_up_again(house: Any) -> None:
    sha256 = house.upload("a")
    images = house.ports.catalogue.images
    assert images.doom("shop", sha256, touched=house.image(sha256).touched)
    import_id = house.planned(house.records((1, [house.picture("a")])))
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.image(sha256).doomed is None


def test_what_is_not_the_embedders_is_refused(house: Any) -> None:
    with pytest.raises(Invalid):
        handle(house.ports, SyncShard("idx_1", 0))
