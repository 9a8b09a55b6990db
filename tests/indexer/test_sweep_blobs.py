"""What nothing names any more goes after a day: bytes of any kind, uploads, copies of sources."""

from services.indexer.sweep import sweep_blobs, sweep_uploads
from shared.blobs import keys as blob_keys
from shared.catalogue.office import Part, Upload
from shared.jobs import Import
from shared.models import RegisteredModel
from shared.spaces import Space, Spaces
from shared.trainings import AdaptRequest, TripletRequest, ended, posted
from tests.indexer.conftest import TENANT, House


def test_a_blob_that_nothing_names_goes_after_a_day(house: House) -> None:
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
    assert house.has_image(sha)
    assert kept <= house.blob_keys()


def test_an_upload_keeps_its_blob_until_it_is_dropped(house: House) -> None:
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


def test_an_upload_that_goes_on_growing_stays_with_all_its_parts(house: House) -> None:
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


def test_an_upload_stays_while_a_training_is_to_read_it(house: House) -> None:
    office, now = house.ports.catalogue.office, house.clock.now
    office.put_upload(Upload("u", TENANT, (Part("blob", 1),), 1, None, "text/csv", now, now))
    job = posted("trn_1", TENANT, TripletRequest(name="ours", triplets="upload:u"), now)
    office.put_job(job)
    office.put_job(posted("trn_2", TENANT, AdaptRequest(name="other"), now))
    house.clock.forward(days=2)
    assert sweep_uploads(house.ports) == 0
    office.put_job(ended(job, "cancelled", now, None))
    assert sweep_uploads(house.ports) == 1


def test_an_upload_stays_while_an_import_is_to_read_it(house: House) -> None:
    blob, office = "tenants/shop/uploads/u", house.ports.catalogue.office
    house.ports.blobs.put(blob, b"x")
    now = house.clock.now
    office.put_upload(Upload("u", TENANT, (Part(blob, 1),), 1, None, "text/csv", now, now))
    house.begin_import(source="upload:u")
    house.clock.forward(days=3)
    assert (sweep_uploads(house.ports), sweep_blobs(house.ports)) == (0, 0)
    house.ports.catalogue.imports.set_state("imp", "succeeded")
    assert (sweep_uploads(house.ports), sweep_blobs(house.ports)) == (1, 1)


def test_the_source_of_an_unfinished_import_stays(house: House) -> None:
    blob = "tenants/shop/uploads/u"
    house.ports.blobs.put(blob, b"x")
    house.begin_import(source=blob)
    house.clock.forward(days=3)
    assert sweep_blobs(house.ports) == 0
    house.ports.catalogue.imports.set_state("imp", "succeeded")
    assert sweep_blobs(house.ports) == 1


def test_the_staged_copy_of_a_source_goes_with_its_import(house: House) -> None:
    imports = house.ports.catalogue.imports
    blob = "tenants/shop/staged/imp_1/one"
    house.ports.blobs.put(blob, b"records")
    imports.create(Import("imp_1", TENANT, "parquet", "file:/x", 9, 0, "running"))
    imports.note("imp_1", {"staged": {"blob": blob, "size": 7}})
    house.clock.forward(days=2)
    sweep_blobs(house.ports)
    assert blob in house.blob_keys()
    imports.set_state("imp_1", "succeeded")
    sweep_blobs(house.ports)
    assert blob not in house.blob_keys()
