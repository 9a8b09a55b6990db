"""What a ranking network is taught about, out of a shop's catalogue and out of folders."""

from pathlib import Path

import pytest

from services.embedder.training.triplet.subjects import of_folder, of_shop
from shared.blobs.fsspec import FsspecBlobs
from shared.catalogue.images import ImageWrite
from shared.catalogue.products import ProductWrite
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Invalid
from shared.images import Place, sha256_of
from shared.products import Attributes
from shared.trainings import Pictures, TripletRequest

LATE = 2**62
NUMBERS = range(10)


@pytest.fixture
def blobs(tmp_path: Path) -> FsspecBlobs:
    return FsspecBlobs((tmp_path / "blobs").as_uri(), tmp_path / "cache")


@pytest.fixture
def catalogue(tmp_path: Path) -> SqliteCatalogue:
    return SqliteCatalogue(tmp_path / "catalogue.sqlite")


def _put(catalogue: SqliteCatalogue, blobs: FsspecBlobs, product: str, title: str = "") -> None:
    """Two pictures each, all in one category."""
    data = [f"{product}/{n}".encode() for n in range(2)]
    shas = tuple(sha256_of(one) for one in data)
    for sha, picture in zip(shas, data, strict=True):
        key = f"packs/{sha}{title}"
        blobs.put(key, picture)
        place = Place(key, 0, len(picture))
        catalogue.images.put([ImageWrite("default", sha, place, "image/jpeg", 1, 1, LATE)])
    told = Attributes(title=title, category=("Wear",))
    catalogue.products.upsert([ProductWrite("default", product, told, shas, frozenset(), LATE)])


def _request(**values: object) -> TripletRequest:
    return TripletRequest(name="ours", **values)  # type: ignore[arg-type]


def test_new_is_what_was_created_since_not_what_was_written_again(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs
) -> None:
    """A feed names every product every night."""
    for number in NUMBERS:
        _put(catalogue, blobs, f"p{number}")
    created = {one.product_id: one.revision for one in catalogue.products.page("default")}
    for number in NUMBERS:
        _put(catalogue, blobs, f"p{number}", title="Again")
    (rewritten,) = catalogue.products.get("default", ["p5"]).values()
    assert rewritten.version == 2
    assert rewritten.date.at > max(created.values()) + 2
    since = _request(pictures=Pictures(since=rewritten.date.at))
    with pytest.raises(Invalid, match=r"No product .* was created since 20\d\d-"):
        of_shop(since, catalogue, blobs, "default")
    _put(catalogue, blobs, "late")
    late = of_shop(since, catalogue, blobs, "default")
    assert late.fresh == frozenset({"late"})
    assert len(late.photos) == 22, "what is old is replayed"
    early = of_shop(
        _request(pictures=Pictures(since=min(created.values()))), catalogue, blobs, "default"
    )
    assert early.fresh == frozenset(["late", *(f"p{number}" for number in NUMBERS)])
    assert of_shop(_request(), catalogue, blobs, "default").fresh is None


def test_triplets_of_product_ids_mean_their_first_pictures(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs, tmp_path: Path
) -> None:
    for number in NUMBERS:
        _put(catalogue, blobs, f"p{number}")
    file = tmp_path / "triplets.csv"
    rows = [f"p{n},p{(n + 1) % 10},p{(n + 2) % 10}" for n in NUMBERS]
    file.write_text("\n".join([*rows, "p1,p2,p77"]), encoding="utf-8")
    subject = of_shop(_request(triplets=str(file)), catalogue, blobs, "default")
    assert [photo.read() for photo in subject.photos] == [f"p{n}/0".encode() for n in NUMBERS]
    assert subject.rows is not None
    assert subject.rows.failures == ("Line 11: 'p77' is no product with a category and a picture.",)


def test_a_catalogue_without_pictures_is_told(
    catalogue: SqliteCatalogue, blobs: FsspecBlobs
) -> None:
    with pytest.raises(Invalid, match="No product here has a category and a picture"):
        of_shop(_request(), catalogue, blobs, "default")


def test_one_category_of_single_photos_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    """Told before anything is looked at: each would be its own nearest of its kind."""
    (tmp_path / "hats").mkdir()
    for number in NUMBERS:
        (tmp_path / "hats" / f"{number}.jpg").write_bytes(b"%d" % number)
    request = _request(pictures=Pictures(folder=str(tmp_path)))
    with pytest.raises(Invalid, match="All 10 photos are of one category, 'hats'"):
        of_folder(request)
    (tmp_path / "caps").mkdir()
    (tmp_path / "caps" / "1.jpg").write_bytes(b"1")
    assert len(of_folder(request).photos) == 11


def test_pictures_that_cannot_be_read_take_their_rows_along(tmp_path: Path) -> None:
    for number in NUMBERS:
        (tmp_path / f"{number}.jpg").write_bytes(b"%d" % number)
    rows = [f"{n}.jpg,{(n + 1) % 10}.jpg,{(n + 3) % 10}.jpg" for n in NUMBERS] * 2
    file = tmp_path / "triplets.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    request = _request(triplets=str(file), pictures=Pictures(folder=str(tmp_path)))
    subject = of_folder(request)
    assert [photo.read() for photo in subject.photos] == [b"%d" % n for n in NUMBERS]
    assert subject.rows is not None
    assert not subject.rows.failures
    left = subject.without(subject.photos[1:])
    assert left.rows is not None
    assert len(left.rows.good) == 14
    assert left.rows.failures[0] == "Line 1: '0.jpg' is a picture that cannot be read."
    with pytest.raises(Invalid, match="6 triplets of 20 can be used"):
        subject.without([photo for photo in subject.photos if photo.name < "6"])
