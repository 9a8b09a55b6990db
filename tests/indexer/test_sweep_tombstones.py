"""A tombstone goes once nobody can need it: readers, imports that are late, a backfill."""

import pytest

from services.indexer.sweep import sweep_tombstones
from shared.products import Origin
from tests.indexer.conftest import TENANT, House


def test_a_tombstone_goes_a_day_after_everybody_confirmed(house: House) -> None:
    """tombstone_confirmed."""
    house.put("p", [])
    house.delete("p")
    house.clock.forward(days=2)
    assert sweep_tombstones(house.ports) == 0
    house.sync()
    assert sweep_tombstones(house.ports) == 1
    assert house.gone("p")


def test_a_young_tombstone_stays_a_day(house: House) -> None:
    house.put("p", [])
    house.delete("p")
    house.sync()
    house.clock.forward(hours=23)
    assert sweep_tombstones(house.ports) == 0


def test_a_tombstone_outlives_the_imports_that_are_older(house: House) -> None:
    """tombstone_outlives_imports: else a chunk that is late would bring the product back."""
    imp = house.begin_import()
    house.clock.forward()
    house.put("p", [])
    house.delete("p")
    house.sync()
    house.clock.forward(days=2)
    assert sweep_tombstones(house.ports) == 0
    house.put("p", [], origin=Origin("imp", imp.created, 0))
    assert house.product("p").deleted
    house.ports.catalogue.imports.set_state("imp", "succeeded")
    assert sweep_tombstones(house.ports) == 1


def test_a_tombstone_that_is_held_holds_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest are held by an import; the page would be full of them."""
    monkeypatch.setattr("services.indexer.sweep.PAGE", 1)
    for name in "ab":
        house.put(name, [])
        house.delete(name)
    house.clock.forward(minutes=1)
    house.begin_import()
    house.clock.forward(minutes=1)
    for name in "cd":
        house.put(name, [])
        house.delete(name)
    house.sync()
    house.clock.forward(days=2)
    assert sweep_tombstones(house.ports) == 2
    assert [name for name in "abcd" if house.gone(name)] == ["a", "b"]


def test_a_tombstone_that_waits_again_is_not_removed(house: House) -> None:
    """removal_guarded: a backfill names it between the look and the removal."""
    house.put("p", [])
    house.delete("p")
    house.sync()
    house.clock.forward(days=2)
    products = house.ports.catalogue.products
    busy = house.interrupted(
        "products.remove",
        lambda: products.add_pending(TENANT, frozenset({"one/segments"}), ["p"]),
    )
    assert sweep_tombstones(busy.ports) == 0
    assert not house.gone("p")
