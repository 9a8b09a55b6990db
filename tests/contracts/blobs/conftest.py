from pathlib import Path

import pytest

from shared.blobs.fsspec import FsspecBlobs
from shared.blobs.port import Blobs
from shared.ids import ulid


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return FsspecBlobs(f"file://{tmp_path}/blobs")
    return FsspecBlobs(f"memory://{ulid()}", tmp_path / "cache")
