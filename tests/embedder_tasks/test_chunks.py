"""What one chunk brings in, once or twice, whole or in pieces."""

from typing import Any

import pytest

from services.embedder.imports import plan_import
from services.embedder.tasks import handle
from shared.errors import Invalid
from shared.images import MAX_ATTEMPTS, sha256_of
from shared.jobs import Counters
from shared.tasks import EmbedImages, FinishImport, ImportChunk, PlanImport, SyncShard

PLACES = [
    "services.embedder.arrivals.reach",
    "services.embedder.chunks.reach",
    "services.embedder.intake.reach",
]


def planned(house: Any, data: bytes, **options: Any) -> str:
    import_id: str = house.start_import(data, **options)
    plan_import(house.ports, import_id)
    house.queue.rung.clear()
    return import_id


def everything(house: Any) -> Any:
    """All that a chunk may change, apart from revisions, dates and places."""
    catalogue = house.ports.catalogue
    products = {
        p.product_id: (p.attributes, p.images, p.version, p.deleted)
        for p in catalogue.products.page("shop")
    }
    images = {
        i.sha256: (dict(i.vectors), i.width, i.media_type, house.error(i.sha256))
        for i in catalogue.images.page()
    }
    return products, images


def test_a_chunk_brings_products_with_their_vectors(house: Any) -> None:
    shared = house.picture("shared")
    data = house.records((1, [house.picture("a"), shared]), (2, [shared]), title="Lamp")
    import_id = planned(house, data)
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
    import_id = planned(
        house, house.records(*((n, [house.picture(s)]) for n, s in enumerate(names)))
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


def test_a_second_import_of_the_same_costs_nothing(house: Any) -> None:
    data = house.records(*((n, [house.picture(f"p{n}")]) for n in range(3)))
    first = planned(house, data)
    house.run_chunks(first)
    before, embedded = everything(house), house.embedder.seen.copy()
    second = planned(house, data)
    house.run_chunks(second)
    assert house.counters(second) == Counters(unchanged=3, pictures=3)
    assert everything(house) == before
    assert house.embedder.seen == embedded


def test_a_chunk_that_runs_twice_changes_nothing_and_counts_once(house: Any) -> None:
    data = house.records(*((n, [house.picture(f"p{n}")]) for n in range(3)))
    import_id = planned(house, data)
    handle(house.ports, ImportChunk(import_id, 0))
    before = everything(house)
    handle(house.ports, ImportChunk(import_id, 0))
    assert everything(house) == before
    assert house.counters(import_id).imported == 3


@pytest.mark.parametrize(
    "place",
    [
        "embedder.chunk_claimed",
        "embedder.pack_written",
        "embedder.images_written",
        "embedder.products_written",
        "embedder.chunk_written",
    ],
)
def test_a_chunk_that_died_anywhere_is_done_by_its_next_attempt(
    house: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    pictures = [house.picture("one"), house.picture("torn"), house.picture("three")]
    data = house.records(*((n, [p]) for n, p in enumerate(pictures)))
    import_id = planned(house, data)

    def die(reached: str) -> None:
        if reached == place:
            raise house.killed

    with monkeypatch.context() as patch:
        for name in PLACES:
            patch.setattr(name, die)
        with pytest.raises(house.killed):
            handle(house.ports, ImportChunk(import_id, 0))
    house.run_chunks(import_id)
    house.embed_until_quiet()
    counters = house.counters(import_id)
    assert (counters.imported, counters.read) == (3, 3)
    assert [("f1" in house.image(sha256_of(p)).vectors) for p in pictures] == [True, False, True]
    assert house.error(sha256_of(pictures[1])) == "undecodable_image: The picture is cut off."
    assert house.left() == 0
    for product_id in "012":
        product = house.product(product_id)
        assert product.version == 1
        assert "idx_1/segments" in product.pending
    assert house.state(import_id).state == "succeeded"


def test_a_chunk_that_runs_again_does_not_undo_a_shops_change(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = house.records(
        (1, [house.picture("a")]), (2, [house.picture("b")]), title="From the file"
    )
    import_id = planned(house, data)
    with monkeypatch.context() as patch:
        patch.setattr("services.embedder.chunks.reach", _dies_at(house, "embedder.chunk_written"))
        with pytest.raises(house.killed):
            handle(house.ports, ImportChunk(import_id, 0))
    house.clock.forward(minutes=1)
    house.put("1", sha256_of(house.picture("a")), title="From the shop")
    house.clock.forward(minutes=10)
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.product("1").attributes.title == "From the shop"
    assert house.product("2").attributes.title == "From the file"
    counters = house.counters(import_id)
    assert (counters.imported, counters.superseded, counters.read) == (1, 1, 2)


def _dies_at(house: Any, place: str) -> Any:
    def die(reached: str) -> None:
        if reached == place:
            raise house.killed

    return die


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_records_with_one_id_the_later_one_stands_in_whatever_order_they_run(
    house: Any, order: tuple[int, int]
) -> None:
    records = [(1, [house.picture("old")]), *((n, [house.picture("x")]) for n in range(2, 5))]
    data = house.records(*records) + house.records((1, [house.picture("new")]))
    import_id = planned(house, data)
    for number in order:
        handle(house.ports, ImportChunk(import_id, number))
    assert house.product("1").images == (sha256_of(house.picture("new")),)
    counters = house.counters(import_id)
    assert counters.read == 5
    assert counters.duplicate == (1 if order == (1, 0) else 0)


def test_within_a_chunk_the_later_record_of_an_id_counts(house: Any) -> None:
    data = house.records((1, [house.picture("old")]), (1, [house.picture("new")]))
    import_id = planned(house, data)
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.product("1").images == (sha256_of(house.picture("new")),)
    assert house.counters(import_id) == Counters(
        imported=1, duplicate=1, created=1, pictures=1, embedded=1
    )


@pytest.mark.parametrize("dies", ["child", "worker"])
def test_a_poison_in_a_chunk_takes_no_neighbour_along(house: Any, dies: str) -> None:
    house.embedder.kills_process = dies == "worker"
    names = ["p0", "poison", "p2", "p3"]
    data = house.records(*((n, [house.picture(name)]) for n, name in enumerate(names)))
    import_id = planned(house, data)
    house.run_chunks(import_id)
    assert house.state(import_id).state == "succeeded"
    assert house.counters(import_id).imported == 4
    assert EmbedImages("f1", "shop") in house.queue.rung
    house.embed_until_quiet()
    for name in ("p0", "p2", "p3"):
        assert "f1" in house.image(sha256_of(house.picture(name))).vectors
    assert house.error(sha256_of(house.picture("poison"))).startswith("kills_decoder")
    assert all("idx_1/segments" in house.product(str(n)).pending for n in range(4))


def test_a_picture_that_is_none_leaves_its_product_with_the_others(house: Any) -> None:
    bad, good = b"<html>not found</html>", house.picture("good")
    import_id = planned(house, house.records((1, [bad, good]), (2, [bad])))
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
    import_id = planned(house, data)
    handle(house.ports, ImportChunk(import_id, 0))
    attributes = house.product("1").attributes
    assert (attributes.title, attributes.price, attributes.tags) == ("Lamp", 9.0, ("new",))
    assert attributes.custom == {"watts": 40}


def test_a_field_of_a_wrong_type_fails_its_record_and_names_the_field(house: Any) -> None:
    good = house.records((1, [house.picture("a")]))
    data = good + house.records((2, [house.picture("b")]), price="cheap")
    import_id = planned(house, data)
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
    import_id = planned(house, data, categories={10: ("Home", "Lamps")})
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.product("1").attributes.category == ("Home", "Lamps")
    assert house.product("2").attributes.category == ("11",)


def test_writes_that_come_too_late_leave_the_chunk_to_its_next_attempt(house: Any) -> None:
    import_id = planned(house, house.records((1, [house.picture("a")])))
    embed = house.embedder.embed

    def slow(*args: Any, **kwargs: Any) -> Any:
        house.clock.forward(minutes=11)
        return embed(*args, **kwargs)

    house.embedder.embed = slow
    handle(house.ports, ImportChunk(import_id, 0))
    (chunk,) = house.ports.catalogue.imports.chunks(import_id)
    assert (chunk.state, chunk.attempts) == ("waiting", 1)
    assert house.ports.catalogue.products.count("shop") == 0
    house.embedder.embed = embed
    house.run_chunks(import_id)
    assert house.counters(import_id).imported == 1


def test_products_are_not_written_long_after_their_images_were_touched(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = planned(house, house.records((1, [house.picture("a")])))

    def freeze(_: str) -> None:
        house.clock.forward(minutes=6)

    with monkeypatch.context() as patch:
        patch.setattr("services.embedder.arrivals.reach", freeze)
        handle(house.ports, ImportChunk(import_id, 0))
    assert house.ports.catalogue.images.count("shop") == 1
    assert house.ports.catalogue.products.count("shop") == 0
    house.run_chunks(import_id)
    assert house.counters(import_id).imported == 1


def test_a_chunk_that_never_ends_is_given_up_and_counted(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = house.records(*((n, [house.picture(f"p{n}")]) for n in range(6)))
    import_id = planned(house, data)
    handle(house.ports, ImportChunk(import_id, 1))
    with monkeypatch.context() as patch:
        patch.setattr("services.embedder.chunks.reach", _dies_at(house, "embedder.chunk_claimed"))
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(house.killed):
                handle(house.ports, ImportChunk(import_id, 0))
            house.clock.forward(minutes=10)
    house.run_chunks(import_id)
    counters = house.counters(import_id)
    assert (counters.imported, counters.failed, counters.read) == (2, 4, 6)
    assert house.letters() == {f"chunk/{import_id}/00000000": "gave_up"}
    assert house.state(import_id).state == "partially_succeeded"


def test_a_source_that_went_away_is_told_at_once(house: Any) -> None:
    import_id = planned(house, house.records((1, [house.picture("a")])))
    house.ports.blobs.delete(house.state(import_id).source)
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.letters() == {f"chunk/{import_id}/00000000": "not_found"}
    assert house.state(import_id).state == "failed"


def test_a_paused_import_does_nothing(house: Any) -> None:
    import_id = planned(house, house.records((1, [house.picture("a")])))
    house.ports.catalogue.imports.set_state(import_id, "paused")
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.ports.catalogue.products.count("shop") == 0
    handle(house.ports, FinishImport(import_id))
    assert house.state(import_id).state == "paused"


def test_looking_again_after_a_crash_finds_the_end(house: Any) -> None:
    import_id = planned(house, house.records((1, [house.picture("a")])))
    house.ports.catalogue.imports.finish(import_id, 0, Counters(imported=1))
    assert house.state(import_id).state == "running"
    handle(house.ports, PlanImport(import_id))
    assert house.state(import_id).state == "succeeded"


def test_a_picture_seen_before_its_vector_is_rung_for(house: Any) -> None:
    house.upload("a")
    import_id = planned(house, house.records((1, [house.picture("a")])))
    handle(house.ports, ImportChunk(import_id, 0))
    assert EmbedImages("f1", "shop") in house.queue.rung
    assert house.counters(import_id).embedded == 0


def test_a_picture_that_was_doomed_is_taken_up_again(house: Any) -> None:
    sha256 = house.upload("a")
    images = house.ports.catalogue.images
    assert images.doom("shop", sha256, touched=house.image(sha256).touched)
    import_id = planned(house, house.records((1, [house.picture("a")])))
    handle(house.ports, ImportChunk(import_id, 0))
    assert house.image(sha256).doomed is None


def test_what_is_not_the_embedders_is_refused(house: Any) -> None:
    with pytest.raises(Invalid):
        handle(house.ports, SyncShard("idx_1", 0))
