"""What goes away, and what must not."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from services.indexer.compaction import compact
from services.indexer.files import sweep_dropped, sweep_shard_files
from services.indexer.segments import stored
from services.indexer.sweep import sweep_blobs, sweep_images, sweep_tombstones, sweep_uploads
from services.indexer.sync import read_batch
from shared.blobs import keys as blob_keys
from shared.catalogue.office import Part, Upload
from shared.jobs import Import
from shared.models import RegisteredModel
from shared.products import Origin
from shared.removal import SHARED, SHOWN, TOUCHED, Receipt, purge_images
from shared.spaces import Space, Spaces
from shared.trainings import AdaptRequest, TripletRequest, ended, posted

if TYPE_CHECKING:
    from tests.indexer.conftest import House


TENANT = "shop"
FOLDER = "tenants/shop/indexes/one/shard-0/"


def keys(house: "House", prefix: str = "tenants/") -> set[str]:
    return {blob.key for blob in house.ports.blobs.list(prefix)}


def image_there(house: "House", sha: str) -> bool:
    found = house.ports.catalogue.images.get(TENANT, [sha]).get(sha)
    return found is not None and found.place.blob in keys(house)


def purge(house: "House", *shas: str) -> Receipt:
    return purge_images(house.ports.catalogue, house.ports.blobs, TENANT, shas)


def test_an_image_that_nothing_shows_goes_after_a_day(house: "House") -> None:
    sha = house.image("a")
    assert sweep_images(house.ports) == 0
    house.clock.forward(hours=23)
    assert sweep_images(house.ports) == 0
    house.clock.forward(hours=2)
    assert sweep_images(house.ports) == 1
    assert not image_there(house, sha)
    assert not keys(house)


def test_an_image_that_is_shown_stays(house: "House") -> None:
    sha = house.image("a")
    house.put("p", [sha])
    for _ in range(3):
        sweep_images(house.ports)
        house.clock.forward(days=1)
    assert image_there(house, sha)


def test_an_image_touched_since_it_was_doomed_stays(house: "House") -> None:
    """sweep_untouched: a product takes it up just before the document goes."""
    sha = house.image("a")
    sweep_images(house.ports)
    house.clock.forward(days=1)
    busy = house.interrupted("products.shown", lambda: house.image("a"))
    assert sweep_images(busy.ports) == 0
    house.put("p", [sha])
    assert image_there(house, sha)


def test_an_image_taken_up_while_it_was_being_doomed_stays(house: "House") -> None:
    sha = house.image("a")

    def take_up() -> None:
        house.clock.forward()
        house.put("p", [house.image("a")])

    sweep_images(house.interrupted("images.doom", take_up).ports)
    found = house.ports.catalogue.images.get(TENANT, [sha])[sha]
    assert found.doomed is None


def test_references_are_looked_for_again_after_the_day(house: "House") -> None:
    """sweep_rechecks, F24: it was touched before it was doomed, and shown after."""
    sha = house.image("a")
    sweep_images(house.ports)
    house.put("p", [sha])
    house.clock.forward(days=1)
    assert sweep_images(house.ports) == 0
    assert image_there(house, sha)


def test_a_shared_blob_goes_with_its_last_image(house: "House") -> None:
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
    assert blob in keys(house)
    house.delete("p")
    assert purge(house, "1" * 64).removed == ("1" * 64,)
    assert blob not in keys(house)


def test_purge_removes_at_once_what_has_rested(house: "House") -> None:
    sha = house.image("a")
    house.clock.forward(minutes=11)
    assert purge(house, sha, "0" * 64).removed == (sha, "0" * 64)
    assert not image_there(house, sha)


def test_purge_leaves_what_was_touched_a_moment_ago(house: "House") -> None:
    """purge_waits, F24: somebody who touched it is about to write the product that shows it."""
    sha = house.image("a")
    house.clock.forward(minutes=9)
    (kept,) = purge(house, sha).later
    assert kept.reason == TOUCHED
    assert image_there(house, sha)


def test_purge_leaves_what_another_product_took_up_meanwhile(house: "House") -> None:
    """F24: the touch comes between the look and the removal."""
    sha = house.image("a")
    house.clock.forward(minutes=11)
    busy = house.interrupted("images.remove", lambda: house.image("a"))
    (kept,) = purge(busy, sha).later
    assert kept.reason == TOUCHED
    assert image_there(house, sha)


def test_a_blob_that_nothing_names_goes_after_a_day(house: "House") -> None:
    sha = house.image("a")
    house.ports.blobs.put("tenants/shop/pictures/00/orphan", b"x")
    kept = {"tenants/shop/models/kept", blob_keys.report(TENANT, "imp_1")}
    for key in kept | {"tenants/shop/models/of-no-document"}:
        house.ports.blobs.put(key, b"x")
    spaces = Spaces("whole", (Space("content", 8, "f1"),))
    house.ports.catalogue.models.register(
        RegisteredModel(
            *("mdl_1", TENANT, "shoes", "1", spaces, "tenants/shop/models/kept", "0" * 64, 1, 0)
        )
    )
    house.put("p", [sha])
    assert sweep_blobs(house.ports) == 0
    house.clock.forward(days=1, minutes=1)
    assert sweep_blobs(house.ports) == 2
    assert image_there(house, sha)
    assert kept <= keys(house)


def test_an_upload_keeps_its_blob_until_it_is_dropped(house: "House") -> None:
    blob = "tenants/shop/uploads/u"
    house.ports.blobs.put(blob, b"x")
    office = house.ports.catalogue.office
    parts = (Part(blob, 1),)
    office.put_upload(
        Upload("u", TENANT, parts, 1, "0" * 64, "image/jpeg", house.clock.now, house.clock.now)
    )
    house.clock.forward(days=1, minutes=1)
    assert sweep_blobs(house.ports) == 0
    assert sweep_uploads(house.ports) == 1
    assert sweep_blobs(house.ports) == 1


def test_an_upload_that_goes_on_growing_stays_with_all_its_parts(house: "House") -> None:
    office, blobs = (
        house.ports.catalogue.office,
        ["tenants/shop/uploads/u-1", "tenants/shop/uploads/u-2"],
    )
    office.put_upload(
        Upload("u", TENANT, (), None, None, "text/csv", house.clock.now, house.clock.now)
    )
    for offset, blob in enumerate(blobs):
        house.ports.blobs.put(blob, b"x")
        assert office.append_part("u", offset, Part(blob, 1))
        house.clock.forward(hours=20)
    assert (sweep_uploads(house.ports), sweep_blobs(house.ports)) == (0, 0)
    house.clock.forward(hours=5)
    assert (sweep_uploads(house.ports), sweep_blobs(house.ports)) == (1, 2)


def test_an_upload_stays_while_a_training_is_to_read_it(house: "House") -> None:
    office, now = house.ports.catalogue.office, house.clock.now
    office.put_upload(Upload("u", TENANT, (Part("blob", 1),), 1, None, "text/csv", now, now))
    job = posted("trn_1", TENANT, TripletRequest(name="ours", triplets="upload:u"), now)
    office.put_job(job)
    office.put_job(posted("trn_2", TENANT, AdaptRequest(name="other"), now))
    house.clock.forward(days=2)
    assert sweep_uploads(house.ports) == 0
    office.put_job(ended(job, "cancelled", now, None))
    assert sweep_uploads(house.ports) == 1


def test_an_upload_stays_while_an_import_is_to_read_it(house: "House") -> None:
    blob, office = "tenants/shop/uploads/u", house.ports.catalogue.office
    house.ports.blobs.put(blob, b"x")
    now = house.clock.now
    office.put_upload(Upload("u", TENANT, (Part(blob, 1),), 1, None, "text/csv", now, now))
    begun(house, source="upload:u")
    house.clock.forward(days=3)
    assert (sweep_uploads(house.ports), sweep_blobs(house.ports)) == (0, 0)
    house.ports.catalogue.imports.set_state("imp", "succeeded")
    assert (sweep_uploads(house.ports), sweep_blobs(house.ports)) == (1, 1)


def test_the_source_of_an_unfinished_import_stays(house: "House") -> None:
    blob = "tenants/shop/uploads/u"
    house.ports.blobs.put(blob, b"x")
    begun(house, source=blob)
    house.clock.forward(days=3)
    assert sweep_blobs(house.ports) == 0
    house.ports.catalogue.imports.set_state("imp", "succeeded")
    assert sweep_blobs(house.ports) == 1


def begun(house: "House", source: str = "x") -> Import:
    imp = Import("imp", TENANT, "bson", source, 1, 0, "running")
    return house.ports.catalogue.imports.create(imp)


def test_the_staged_copy_of_a_source_goes_with_its_import(house: "House") -> None:
    imports = house.ports.catalogue.imports
    blob = "tenants/shop/staged/imp_1/one"
    house.ports.blobs.put(blob, b"records")
    imports.create(Import("imp_1", TENANT, "parquet", "file:/x", 9, 0, "running"))
    imports.note("imp_1", {"staged": {"blob": blob, "size": 7}})
    house.clock.forward(days=2)
    sweep_blobs(house.ports)
    assert blob in keys(house)
    imports.set_state("imp_1", "succeeded")
    sweep_blobs(house.ports)
    assert blob not in keys(house)


def test_a_tombstone_goes_a_day_after_everybody_confirmed(house: "House") -> None:
    """tombstone_confirmed."""
    house.put("p", [])
    house.delete("p")
    house.clock.forward(days=2)
    assert sweep_tombstones(house.ports) == 0
    house.sync()
    assert sweep_tombstones(house.ports) == 1
    assert house.gone("p")


def test_a_young_tombstone_stays_a_day(house: "House") -> None:
    house.put("p", [])
    house.delete("p")
    house.sync()
    house.clock.forward(hours=23)
    assert sweep_tombstones(house.ports) == 0


def test_a_tombstone_outlives_the_imports_that_are_older(house: "House") -> None:
    """tombstone_outlives_imports: else a chunk that is late would bring the product back."""
    imp = begun(house)
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
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest are held by an import; the page would be full of them."""
    monkeypatch.setattr("services.indexer.sweep.PAGE", 1)
    for name in "ab":
        house.put(name, [])
        house.delete(name)
    house.clock.forward(minutes=1)
    begun(house)
    house.clock.forward(minutes=1)
    for name in "cd":
        house.put(name, [])
        house.delete(name)
    house.sync()
    house.clock.forward(days=2)
    assert sweep_tombstones(house.ports) == 2
    assert [name for name in "abcd" if house.gone(name)] == ["a", "b"]


def test_a_tombstone_that_waits_again_is_not_removed(house: "House") -> None:
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


def compacted(house: "House") -> Any:
    for n in range(8):
        house.put(f"p{n}", [house.image(f"p{n}")])
        house.sync()
    compact(house.ports, house.index, 0)


def test_index_files_that_nothing_names_go(house: "House") -> None:
    compacted(house)
    before = house.shown()
    assert sweep_shard_files(house.ports, house.index, 0) == 0
    house.clock.forward(hours=3)
    assert sweep_shard_files(house.ports, house.index, 0) > 16
    assert house.shown() == before
    manifest = house.manifest()
    named = {file.key for segment in manifest.segments for file in segment.files}
    assert named <= keys(house, FOLDER)


def test_what_a_reader_shows_stays(house: "House") -> None:
    compacted(house)
    indexes = house.ports.catalogue.indexes
    indexes.report("one", 0, "slow", 8)
    shown = {key for key in keys(house, FOLDER) if "seg-" in key}
    house.clock.forward(hours=3)
    indexes.report("one", 0, "slow", 8)
    sweep_shard_files(house.ports, house.index, 0)
    assert shown <= keys(house, FOLDER)
    house.clock.forward(minutes=11)
    sweep_shard_files(house.ports, house.index, 0)
    assert not shown <= keys(house, FOLDER)
    assert not house.pointer().replicas


def test_a_commit_that_froze_over_a_sweep_names_no_swept_file(house: "House") -> None:
    """The sweep commits before it deletes: who read the pointer earlier fails the swap."""
    for n in range(8):
        house.put(f"p{n}", [house.image(f"p{n}")])
        house.sync()
    before = house.shown()

    def sleep_over_sweep() -> None:
        house.clock.forward(hours=30)
        assert sweep_shard_files(house.ports, house.index, 0) > 0

    zombie = house.interrupted("blobs.put", sleep_over_sweep)
    compact(zombie.ports, house.index, 0)
    assert not house.view().damaged
    assert house.shown() == before


def test_a_file_named_while_the_sweep_looks_stays(house: "House") -> None:
    """A compaction that froze before its swap wakes between the look and the deletion."""
    for n in range(8):
        house.put(f"p{n}", [house.image(f"p{n}")])
        house.sync()
    before = house.shown()
    sweeps: list[int] = []

    def sweep_around(wake: Callable[[], object]) -> None:
        house.clock.forward(hours=30)
        sweeping = house.interrupted("indexes.swap", wake)
        sweeps.append(sweep_shard_files(sweeping.ports, house.index, 0))

    interleaved(house, sweep_around)
    assert sweeps
    assert not house.view().damaged
    assert house.shown() == before


def interleaved(house: "House", sweep_around: Callable[[Callable[[], object]], None]) -> None:
    """Runs the sweep before the compaction's last two steps, and those inside the sweep."""
    indexes, blobs = house.ports.catalogue.indexes, house.ports.blobs
    put, generation = blobs.put, house.pointer().generation

    def last_steps(key: str, data: bytes) -> None:
        put(key, data)
        assert indexes.swap("one", 0, expected=generation, manifest=key, as_of=0)

    def held_put(key: str, data: bytes) -> None:
        patch.undo()
        sweep_around(lambda: last_steps(key, data))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blobs, "put", held_put)
        compact(house.ports, house.index, 0)


def test_a_segment_on_its_way_to_its_commit_stays(house: "House") -> None:
    house.put("p", [])
    batch = read_batch(house.ports, house.index, ["p"])
    ref = stored(house.ports, house.index, 0, batch.entries)
    assert sweep_shard_files(house.ports, house.index, 0) == 0
    assert {file.key for file in ref.files} <= keys(house, FOLDER)
    house.clock.forward(hours=3)
    assert sweep_shard_files(house.ports, house.index, 0) == 1


def test_files_of_a_dropped_index_go(house: "House") -> None:
    compacted(house)
    house.ports.catalogue.indexes.drop("one")
    assert sweep_dropped(house.ports) == 0
    house.clock.forward(hours=3)
    assert sweep_dropped(house.ports) > 0
    assert not keys(house, FOLDER)
