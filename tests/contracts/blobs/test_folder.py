"""What a folder keeps beyond what every blob store does."""

import os
import resource
import time
from pathlib import Path

import pytest

from shared.blobs import durable
from shared.blobs.fsspec import FsspecBlobs
from shared.errors import Invalid, Unavailable


def test_a_full_disk_is_said_and_leaves_nothing_torn(tmp_path: Path) -> None:
    blobs = FsspecBlobs(f"file://{tmp_path}/blobs")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(Unavailable):
            blobs.put("tenants/shop/big", b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_writer_left_is_removed_a_day_later(tmp_path: Path) -> None:
    blobs = FsspecBlobs(f"file://{tmp_path}")
    with durable.unfinished(tmp_path / "tenants") as file:
        left = Path(str(file.name)).with_suffix(".left")
        left.write_bytes(b"torn")
    assert list(blobs.list("")) == []
    assert left.exists()
    long_ago = time.time() - 25 * 3600
    os.utime(left, (long_ago, long_ago))
    assert list(blobs.list("")) == []
    assert not left.exists()


def test_a_remote_store_without_a_cache_is_refused() -> None:
    with pytest.raises(Invalid, match="cache"):
        FsspecBlobs("memory://nowhere")


def test_an_unknown_kind_of_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no place for blobs"):
        FsspecBlobs("gopher://host/blobs", tmp_path)


def test_a_folder_is_mapped_where_it_lies_even_with_a_cache(tmp_path: Path) -> None:
    blobs = FsspecBlobs((tmp_path / "store").as_uri(), tmp_path / "cache")
    blobs.put("a/b", b"bytes")
    assert blobs.local("a/b").read_bytes() == b"bytes"
