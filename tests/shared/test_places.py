"""Where imports may read, and where they may not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.stores import opened as s3_opened
from shared.catalogue.office import Part, Upload
from shared.catalogue.sqlite.catalogue import SqliteCatalogue
from shared.errors import Invalid, LookalikeError, NotFound, TooLarge
from shared.ids import new_id
from shared.images import MAX_PICTURE_BYTES
from shared.places import Places


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "open"
    folder.mkdir()
    return folder


@pytest.fixture
def places(tmp_path: Path, open_folder: Path) -> Iterator[Places]:
    with SqliteCatalogue(tmp_path / "catalogue.sqlite") as catalogue:
        blobs = FsspecBlobs(f"file://{tmp_path}/blobs")
        yield Places(blobs, catalogue.office, (open_folder,))


def whole(places: Places, source: str) -> bytes:
    with places.opened("shop", source) as (read, size):
        return read(0, size)


def test_a_file_under_an_open_folder_is_read(places: Places, open_folder: Path) -> None:
    (open_folder / "feed.csv").write_bytes(b"0123456789")
    source = places.at_path(str(open_folder / "feed.csv"))
    assert source.size == 10
    with places.opened("shop", source.name) as (read, size):
        assert (read(3, 4), read(8, 9), size) == (b"3456", b"89", 10)


def test_what_lies_elsewhere_is_as_good_as_absent(
    places: Places, open_folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    (open_folder / "link").symlink_to(secret)
    said = set()
    for path in (secret, open_folder / "link", open_folder / "../secret", tmp_path / "none"):
        with pytest.raises(NotFound) as refused:
            places.at_path(str(path))
        said.add(refused.value.kind)
        with pytest.raises(NotFound):
            whole(places, f"file:{path}")
        with pytest.raises(NotFound):
            places.picture(f"file:{open_folder}/feed.csv", str(path))
    assert said == {"no_such_file"}


def test_a_folder_is_one_only_where_a_folder_is_asked_for(
    places: Places, open_folder: Path
) -> None:
    (open_folder / "file").write_bytes(b"x")
    assert places.folder(places.at_path(str(open_folder), folder=True).name) == open_folder
    with pytest.raises(NotFound):
        places.at_path(str(open_folder))
    with pytest.raises(NotFound):
        places.at_path(str(open_folder / "file"), folder=True)


def test_without_open_folders_the_setting_is_named(tmp_path: Path, places: Places) -> None:
    closed = Places(places.blobs, places.office)
    with pytest.raises(Invalid, match="LOOKALIKE_IMPORT_ROOTS") as refused:
        closed.at_path(str(tmp_path))
    assert refused.value.kind == "paths_off"


def test_a_picture_is_named_as_seen_from_its_feed(places: Places, open_folder: Path) -> None:
    (open_folder / "shop" / "red").mkdir(parents=True)
    (open_folder / "shop" / "red" / "a.jpg").write_bytes(b"red")
    (open_folder / "shop" / "feed.csv").write_bytes(b"")
    feed = places.at_path(str(open_folder / "shop" / "feed.csv")).name
    assert places.picture(feed, "red/a.jpg") == b"red"
    folder = places.at_path(str(open_folder / "shop"), folder=True).name
    assert places.picture(folder, "red/a.jpg") == b"red"
    assert places.picture("upload:upl_1", str(open_folder / "shop/red/a.jpg")) == b"red"
    with pytest.raises(Invalid, match="the feed was uploaded"):
        places.picture("upload:upl_1", "red/a.jpg")


def test_a_picture_that_is_too_large_is_not_read(places: Places, open_folder: Path) -> None:
    with (open_folder / "huge.jpg").open("wb") as file:
        file.truncate(MAX_PICTURE_BYTES + 1)
    with pytest.raises(TooLarge, match=r"huge\.jpg"):
        places.picture(f"file:{open_folder}", "huge.jpg")


def uploaded(places: Places, pieces: list[bytes], size: int | None) -> str:
    upload_id = new_id("upl")
    parts = []
    for number, piece in enumerate(pieces):
        blob = f"tenants/shop/uploads/{upload_id}-{number}"
        places.blobs.put(blob, piece)
        parts.append(Part(blob, len(piece)))
    places.office.put_upload(
        Upload(upload_id, "shop", tuple(parts), size, None, "text/csv", created=1, touched=1)
    )
    return upload_id


def test_the_parts_of_an_upload_are_read_as_one(places: Places) -> None:
    data = bytes(range(100))
    upload_id = uploaded(places, [data[:30], data[30:31], data[31:]], 100)
    source = places.of_upload("shop", upload_id)
    with places.opened("shop", source.name) as (read, size):
        assert size == source.size == 100
        for start in range(0, 100, 7):
            for length in (0, 1, 20, 200):
                assert read(start, length) == data[start : start + length]


def test_an_upload_that_is_not_whole_is_no_source(places: Places) -> None:
    upload_id = uploaded(places, [b"abc"], 10)
    with pytest.raises(Invalid, match="3 bytes are here") as refused:
        places.of_upload("shop", upload_id)
    assert refused.value.kind == "incomplete_upload"
    with pytest.raises(NotFound):
        places.of_upload("other", upload_id)


@pytest.fixture
def bucket(s3_environment: str) -> str:
    name = new_id("feeds").replace("_", "-").lower()
    files, _ = s3_opened(f"s3://{name}")
    files.mkdir(name)
    files.pipe_file(f"{name}/open/feed.csv", b"0123456789")
    files.pipe_file(f"{name}/open/red/a.jpg", b"red")
    files.pipe_file(f"{name}/closed/feed.csv", b"x")
    return name


def test_an_object_under_an_open_prefix_is_read(places: Places, bucket: str) -> None:
    wide = Places(places.blobs, places.office, buckets=(f"s3://{bucket}/open/",))
    source = wide.at_path(f"s3://{bucket}/open/feed.csv")
    assert source.size == 10
    with wide.opened("shop", source.name) as (read, size):
        assert (read(2, 3), read(10, 5), read(0, size)) == (b"234", b"", b"0123456789")
    assert wide.picture(source.name, "red/a.jpg") == b"red"
    with pytest.raises(NotFound):
        wide.at_path(f"s3://{bucket}/open/none.csv")
    for path in ("closed/feed.csv", "open/../closed/feed.csv", "opener/feed.csv"):
        with pytest.raises(LookalikeError) as refused:
            wide.at_path(f"s3://{bucket}/{path}")
        assert refused.value.kind == "paths_off"
    with pytest.raises(LookalikeError):
        wide.picture(source.name, "../closed/feed.csv")
