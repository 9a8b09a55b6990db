from collections.abc import Callable
from pathlib import Path

import pytest

from shared.blobs import keys
from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.packs import PackWriter
from shared.errors import Invalid, NotFound


@pytest.mark.parametrize(
    "make",
    [
        lambda: keys.picture("shop", "ab" * 32),
        lambda: keys.pack("shop", "imp_1", 7, 2),
        lambda: keys.report("shop", "imp_1"),
        lambda: keys.thumbnail("shop"),
        lambda: keys.upload("shop", "upl_1"),
        lambda: keys.manifest("shop", "idx_1", 0, 3),
    ],
)
def test_a_key_for_bytes_is_never_made_twice(make: Callable[[], str]) -> None:
    made = {make() for _ in range(1000)}
    assert len(made) == 1000
    assert all(key.startswith(keys.tenant_folder("shop")) for key in made)


def test_the_files_of_a_shard_lie_in_its_folder() -> None:
    folder = "tenants/shop/indexes/idx_1/shard-2/"
    assert keys.shard_folder("shop", "idx_1", 2) == folder
    assert keys.segment_file("shop", "idx_1", 2, "seg-1.arrow") == f"{folder}seg-1.arrow"
    assert keys.manifest("shop", "idx_1", 2, 9).startswith(f"{folder}manifest-9-")


def test_the_packs_of_an_import_lie_in_its_folder() -> None:
    assert keys.pack("shop", "imp_1", 7, 2).startswith(keys.pack_folder("shop", "imp_1"))
    assert not keys.pack("shop", "imp_12", 7, 2).startswith(keys.pack_folder("shop", "imp_1"))


def test_a_name_cannot_lead_out_of_its_folder() -> None:
    with pytest.raises(Invalid):
        keys.segment_file("shop", "idx_1", 2, "../shard-3/seg-1.arrow")
    with pytest.raises(Invalid):
        keys.tenant_folder("..")


def test_a_pack_gives_back_each_of_its_parts(tmp_path: Path) -> None:
    blobs = FsspecBlobs(f"file://{tmp_path}")
    with PackWriter(blobs, keys.thumbnail("shop")) as pack:
        places = [pack.add(data) for data in (b"one", b"", b"three")]
    assert [blobs.read(p.blob, p.offset, p.length) for p in places] == [b"one", b"", b"three"]
    assert len(list(blobs.list(""))) == 1


def test_a_pack_that_failed_or_stayed_empty_is_not_written(tmp_path: Path) -> None:
    blobs = FsspecBlobs(f"file://{tmp_path}")
    with PackWriter(blobs, "tenants/empty"):
        pass
    with pytest.raises(ZeroDivisionError), PackWriter(blobs, "tenants/failed") as pack:
        pack.add(bytes([1 // 0]))
    for key in ("tenants/empty", "tenants/failed"):
        with pytest.raises(NotFound):
            blobs.read(key)
