"""A chunk that runs again: it died, came too late, was poisoned, or is imported a second time."""

from typing import Any

import pytest

from services.embedder.tasks import handle
from shared.images import MAX_ATTEMPTS, sha256_of
from shared.jobs import Counters
from shared.tasks import EmbedImages, ImportChunk, PlanImport

PLACES = [
    "services.embedder.arrivals.reach",
    "services.embedder.chunks.reach",
    "services.embedder.intake.reach",
]


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


def test_a_second_import_of_the_same_costs_nothing(house: Any) -> None:
    data = house.records(*((n, [house.picture(f"p{n}")]) for n in range(3)))
    first = house.planned(data)
    house.run_chunks(first)
    before, embedded = everything(house), house.embedder.seen.copy()
    second = house.planned(data)
    house.run_chunks(second)
    assert house.counters(second) == Counters(unchanged=3, pictures=3)
    assert everything(house) == before
    assert house.embedder.seen == embedded


def test_a_chunk_that_runs_twice_changes_nothing_and_counts_once(house: Any) -> None:
    data = house.records(*((n, [house.picture(f"p{n}")]) for n in range(3)))
    import_id = house.planned(data)
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
    import_id = house.planned(data)

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
    import_id = house.planned(data)
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


@pytest.mark.parametrize("dies", ["child", "worker"])
def test_a_poison_in_a_chunk_takes_no_neighbour_along(house: Any, dies: str) -> None:
    house.embedder.kills_process = dies == "worker"
    names = ["p0", "poison", "p2", "p3"]
    data = house.records(*((n, [house.picture(name)]) for n, name in enumerate(names)))
    import_id = house.planned(data)
    house.run_chunks(import_id)
    assert house.state(import_id).state == "succeeded"
    assert house.counters(import_id).imported == 4
    assert EmbedImages("f1", "shop") in house.queue.rung
    house.embed_until_quiet()
    for name in ("p0", "p2", "p3"):
        assert "f1" in house.image(sha256_of(house.picture(name))).vectors
    assert house.error(sha256_of(house.picture("poison"))).startswith("kills_decoder")
    assert all("idx_1/segments" in house.product(str(n)).pending for n in range(4))


def test_writes_that_come_too_late_leave_the_chunk_to_its_next_attempt(house: Any) -> None:
    import_id = house.planned(house.records((1, [house.picture("a")])))
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
    import_id = house.planned(house.records((1, [house.picture("a")])))

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
    import_id = house.planned(data)
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


def test_looking_again_after_a_crash_finds_the_end(house: Any) -> None:
    import_id = house.planned(house.records((1, [house.picture("a")])))
    house.ports.catalogue.imports.finish(import_id, 0, Counters(imported=1))
    assert house.state(import_id).state == "running"
    handle(house.ports, PlanImport(import_id))
    assert house.state(import_id).state == "succeeded"
