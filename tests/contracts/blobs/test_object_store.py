"""What an object store keeps beyond what every blob store does, and how it is told when it fails."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fsspec.core import url_to_fs

from shared.blobs.fsspec import FsspecBlobs
from shared.errors import Conflict, NotFound, Unavailable
from tests.servers.process import FOLDER, Server
from tests.servers.proxy import proxy_to
from tests.servers.s3 import s3_server

KEY = "tenants/shop/packs/one"
PATIENCE_SECONDS = 12
"""Ten, and what a busy machine adds."""

OPERATIONS: dict[str, Callable[[FsspecBlobs], object]] = {
    "put": lambda blobs: blobs.put(KEY, b"x"),
    "read": lambda blobs: blobs.read(KEY),
    "size": lambda blobs: blobs.size(KEY),
    "delete": lambda blobs: blobs.delete(KEY),
    "list": lambda blobs: list(blobs.list("tenants/")),
    "local": lambda blobs: blobs.local(KEY),
}

SILENCES: dict[str, Callable[[FsspecBlobs], object]] = {
    "while it is read": lambda blobs: blobs.read(KEY),
    "while it is written": lambda blobs: blobs.put(f"{KEY}-more", b"x" * 1_000_000),
}


@pytest.fixture
def blobs(bucket: str, tmp_path: Path) -> FsspecBlobs:
    return FsspecBlobs(f"{bucket}/prefix", tmp_path / "cache")


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of our own, left well."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def own(
    hurt: Server, s3_environment: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> FsspecBlobs:
    """Blobs in a fresh bucket of that server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", hurt.url)
    hurt.restart()
    files, path = url_to_fs("s3://blobs", skip_instance_cache=True)
    files.mkdir(path)
    blobs = FsspecBlobs("s3://blobs", tmp_path / "cache")
    assert list(blobs.list("")) == []
    return blobs


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_bucket_that_is_missing_is_no_missing_blob(
    operation: Callable[[FsspecBlobs], object], s3_environment: str, tmp_path: Path
) -> None:
    blobs = FsspecBlobs("s3://nobody-made-this-one/prefix", tmp_path)
    with pytest.raises(Unavailable, match="no such bucket; create it"):
        operation(blobs)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_store_that_is_down_is_told_within_ten_seconds(
    operation: Callable[[FsspecBlobs], object],
    s3_environment: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    blobs = FsspecBlobs("s3://bucket/prefix", tmp_path)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="blob store failed"):
        operation(blobs)
    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize("operation", SILENCES.values(), ids=SILENCES)
def test_a_store_that_is_silent_is_told_within_ten_seconds(
    operation: Callable[[FsspecBlobs], object], hurt: Server, own: FsspecBlobs
) -> None:
    own.put(KEY, b"x")
    hurt.freeze()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="blob store failed"):
        operation(own)
    assert time.monotonic() - began < PATIENCE_SECONDS
    hurt.thaw()
    assert own.read(KEY) == b"x"


def test_a_store_that_dies_under_a_listing_is_no_empty_folder(
    hurt: Server, own: FsspecBlobs
) -> None:
    for shop in ("a", "b"):
        own.put(f"tenants/{shop}/packs/1", b"x")
    listing = own.list("tenants/")
    next(listing)
    hurt.kill()
    with pytest.raises(Unavailable):
        list(listing)


def test_credentials_that_are_refused_are_told(hurt: Server, own: FsspecBlobs) -> None:
    own.put(KEY, b"x")
    httpx.post(f"{hurt.url}/moto-api/reset-auth", content=b"0").raise_for_status()
    for operation in OPERATIONS.values():
        with pytest.raises(Unavailable, match="credentials must allow"):
            operation(own)


def test_credentials_that_are_missing_are_told(
    own: FsspecBlobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unavailable, match="credentials"):
        FsspecBlobs("s3://blobs", tmp_path).read(KEY)


def test_an_answer_that_was_lost_is_no_conflict(
    hurt: Server, own: FsspecBlobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with proxy_to(hurt.url) as between, ThreadPoolExecutor(1) as thread:
        monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
        blobs = FsspecBlobs("s3://blobs", tmp_path / "other")
        assert list(blobs.list("")) == []
        between.delay(0.5)
        writing = thread.submit(blobs.put, KEY, b"x")
        _wait_until(lambda: list(own.list("")))
        between.cut()
        between.heal()
        writing.result()
    assert own.read(KEY) == b"x"
    with pytest.raises(Conflict):
        own.put(KEY, b"x")


def test_a_large_file_goes_in_parts_and_comes_back_whole(
    blobs: FsspecBlobs, bucket: str, tmp_path: Path
) -> None:
    large, late = tmp_path / "large", tmp_path / "late"
    size = 101 * 2**20
    for path, end in ((large, b"large"), (late, b"late")):
        with path.open("wb") as file:
            file.seek(size - len(end))
            file.write(end)
    blobs.put_file(KEY, large)
    with pytest.raises(Conflict):
        blobs.put_file(KEY, late)
    local = blobs.local(KEY)
    assert local.stat().st_size == blobs.size(KEY) == size
    with local.open("rb") as file:
        file.seek(-5, 2)
        assert file.read() == b"large"
    assert _unfinished_uploads(bucket) == []


def test_a_killed_writer_leaves_nothing_to_be_seen(
    blobs: FsspecBlobs, bucket: str, s3_url: str, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(150 * 2**20)
    script = (
        "import pathlib, sys\n"
        "from shared.blobs.fsspec import FsspecBlobs\n"
        "url, cache, key, large = sys.argv[1:]\n"
        "FsspecBlobs(url, pathlib.Path(cache)).put_file(key, pathlib.Path(large))\n"
    )
    arguments = [f"{bucket}/prefix", str(tmp_path / "other"), KEY, str(large)]
    with proxy_to(s3_url) as between:
        between.delay(0.02)
        with subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            cwd=FOLDER.parent,
            env={**os.environ, "AWS_ENDPOINT_URL": between.url},
        ) as one:
            _wait_until(lambda: _unfinished_uploads(bucket))
            one.kill()
    assert list(blobs.list("")) == []
    with pytest.raises(NotFound):
        blobs.read(KEY)
    blobs.put(KEY, b"another try")


def test_many_threads_share_one_store(blobs: FsspecBlobs) -> None:
    def round_trip(number: int) -> bytes:
        key = f"tenants/shop/packs/{number}"
        blobs.put(key, bytes([number]) * 10_000)
        return blobs.read(key, 9_999)

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(round_trip, range(100))) == [bytes([n]) for n in range(100)]
    assert len(list(blobs.list("tenants/shop/"))) == 100


def _unfinished_uploads(bucket: str) -> list[object]:
    files, path = url_to_fs(bucket, skip_instance_cache=True)
    found: list[object] = files.call_s3("list_multipart_uploads", Bucket=path).get("Uploads", [])
    return found


def _wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
