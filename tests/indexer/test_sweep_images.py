"""An image goes once nothing shows it, at the sweep or at once; never one that is taken up meanwhile."""

from services.indexer.sweep import sweep_images
from shared.removal import SHARED, SHOWN, TOUCHED, Receipt, purge_images
from tests.indexer.conftest import TENANT, House


def purge(house: House, *shas: str) -> Receipt:
    return purge_images(house.ports.catalogue, house.ports.blobs, TENANT, shas)


def test_an_image_that_nothing_shows_goes_after_a_day(house: House) -> None:
    sha = house.image("a")
    assert sweep_images(house.ports) == 0
    house.clock.forward(hours=23)
    assert sweep_images(house.ports) == 0
    house.clock.forward(hours=2)
    assert sweep_images(house.ports) == 1
    assert not house.has_image(sha)
    assert not house.blob_keys()


def test_an_image_that_is_shown_stays(house: House) -> None:
    sha = house.image("a")
    house.put("p", [sha])
    for _ in range(3):
        sweep_images(house.ports)
        house.clock.forward(days=1)
    assert house.has_image(sha)


def test_an_image_touched_since_it_was_doomed_stays(house: House) -> None:
    """sweep_untouched: a product takes it up just before the document goes."""
    sha = house.image("a")
    sweep_images(house.ports)
    house.clock.forward(days=1)
    busy = house.interrupted("products.shown", lambda: house.image("a"))
    assert sweep_images(busy.ports) == 0
    house.put("p", [sha])
    assert house.has_image(sha)


def test_an_image_taken_up_while_it_was_being_doomed_stays(house: House) -> None:
    sha = house.image("a")

    def take_up() -> None:
        house.clock.forward()
        house.put("p", [house.image("a")])

    sweep_images(house.interrupted("images.doom", take_up).ports)
    found = house.ports.catalogue.images.get(TENANT, [sha])[sha]
    assert found.doomed is None


def test_references_are_looked_for_again_after_the_day(house: House) -> None:
    """sweep_rechecks, F24: it was touched before it was doomed, and shown after."""
    sha = house.image("a")
    sweep_images(house.ports)
    house.put("p", [sha])
    house.clock.forward(days=1)
    assert sweep_images(house.ports) == 0
    assert house.has_image(sha)


def test_a_shared_blob_goes_with_its_last_image(house: House) -> None:
    blob = "tenants/shop/packs/imp/1"
    house.ports.blobs.put(blob, b"onetwo")
    for sha in ("1" * 64, "2" * 64):
        house.put_image(sha, blob, 3)
    house.put("p", ["1" * 64])
    house.clock.forward(hours=1)
    receipt = purge(house, "1" * 64, "2" * 64)
    assert [(kept.sha256[0], kept.reason) for kept in receipt.later] == [
        ("1", SHOWN),
        ("2", SHARED),
    ]
    assert blob in house.blob_keys()
    house.delete("p")
    assert purge(house, "1" * 64).removed == ("1" * 64,)
    assert blob not in house.blob_keys()


def test_purge_removes_at_once_what_has_rested(house: House) -> None:
    sha = house.image("a")
    house.clock.forward(minutes=11)
    assert purge(house, sha, "0" * 64).removed == (sha, "0" * 64)
    assert not house.has_image(sha)


def test_purge_leaves_what_was_touched_a_moment_ago(house: House) -> None:
    """purge_waits, F24: somebody who touched it is about to write the product that shows it."""
    sha = house.image("a")
    house.clock.forward(minutes=9)
    (kept,) = purge(house, sha).later
    assert kept.reason == TOUCHED
    assert house.has_image(sha)


def test_purge_leaves_what_another_product_took_up_meanwhile(house: House) -> None:
    """F24: the touch comes between the look and the removal."""
    sha = house.image("a")
    house.clock.forward(minutes=11)
    busy = house.interrupted("images.remove", lambda: house.image("a"))
    (kept,) = purge(busy, sha).later
    assert kept.reason == TOUCHED
    assert house.has_image(sha)
