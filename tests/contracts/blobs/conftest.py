from pathlib import Path

import pytest
from fsspec.core import url_to_fs

from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.port import Blobs
from shared.ids import ulid


@pytest.fixture
def bucket(s3_environment: str) -> str:
    """The URL of an empty one."""
    url = f"s3://blobs-{ulid().lower()}"
    files, path = url_to_fs(url, skip_instance_cache=True)
    files.mkdir(path)
    return url


@pytest.fixture(params=["folder", "memory", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    match request.param:
        case "folder":
            return FsspecBlobs(f"file://{tmp_path}/blobs")
        case "memory":
            return FsspecBlobs(f"memory://{ulid()}", tmp_path / "cache")
        case _:
            bucket = request.getfixturevalue("bucket")
            return FsspecBlobs(f"{bucket}/some/prefix", tmp_path / "cache")
