"""What every blob store keeps."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.blobs.port import Blobs
from shared.errors import Conflict, Invalid, NotFound

KEY = "tenants/shop/pictures/ab/one"


def keys(blobs: Blobs, prefix: str) -> list[str]:
    return sorted(info.key for info in blobs.list(prefix))


def test_what_was_put_is_read_whole_or_by_range(blobs: Blobs) -> None:
    blobs.put(KEY, b"0123456789")
    assert blobs.read(KEY) == b"0123456789"
    assert blobs.read(KEY, 3) == b"3456789"
    assert blobs.read(KEY, 3, 4) == b"3456"
    assert blobs.read(KEY, 8, 100) == b"89"
    assert blobs.read(KEY, 4, 0) == b""
    assert blobs.read(KEY, 10) == blobs.read(KEY, 10, 5) == blobs.read(KEY, 100, 5) == b""
    assert blobs.size(KEY) == 10


def test_an_empty_blob_is_a_blob(blobs: Blobs) -> None:
    blobs.put(KEY, b"")
    assert blobs.read(KEY) == b""
    assert keys(blobs, "") == [KEY]


def test_a_key_is_written_once(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(KEY, b"first")
    with pytest.raises(Conflict):
        blobs.put(KEY, b"second")
    with pytest.raises(Conflict), blobs.writer(KEY) as out:
        out.write(b"third")
    late = tmp_path / "late"
    late.write_bytes(b"fourth")
    with pytest.raises(Conflict):
        blobs.put_file(KEY, late)
    assert blobs.read(KEY) == b"first"


def test_of_many_writers_at_once_one_has_the_key(blobs: Blobs) -> None:
    ready = threading.Barrier(8)
    won: list[int] = []

    def write(number: int) -> None:
        ready.wait()
        try:
            blobs.put(KEY, bytes([number]) * 1000)
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert blobs.read(KEY) == bytes(won) * 1000


def test_nothing_is_to_be_seen_of_a_stream_before_its_end(blobs: Blobs) -> None:
    with blobs.writer(KEY) as out:
        out.write(b"half ")
        assert keys(blobs, "tenants/") == []
        with pytest.raises(NotFound):
            blobs.read(KEY)
        out.write(b"whole")
    assert blobs.read(KEY) == b"half whole"


def test_a_stream_that_fails_leaves_nothing_behind(blobs: Blobs, tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError), blobs.writer(KEY) as out:
        list(map(out.write, pieces()))
    with pytest.raises(NotFound):
        blobs.size(KEY)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    blobs.put(KEY, b"another try")


def test_a_file_is_taken_over(blobs: Blobs, tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    finished.write_bytes(b"segment")
    blobs.put_file(KEY, finished)
    assert blobs.read(KEY) == b"segment"
    assert not finished.exists()


def test_what_is_not_there_is_said_to_be_so(blobs: Blobs) -> None:
    blobs.put(KEY, b"x")
    for key in ("tenants/shop/none", "tenants/shop/pictures", f"{KEY}/below"):
        with pytest.raises(NotFound):
            blobs.read(key)
        with pytest.raises(NotFound):
            blobs.size(key)
        with pytest.raises(NotFound):
            blobs.local(key)


def test_deleting_twice_is_as_good_as_once(blobs: Blobs) -> None:
    blobs.put(KEY, b"x")
    blobs.delete(KEY)
    blobs.delete(KEY)
    with pytest.raises(NotFound):
        blobs.read(KEY)
    assert keys(blobs, "") == []


def test_a_listing_holds_what_begins_so_with_size_and_date(blobs: Blobs) -> None:
    packs = ("tenants/a/packs/1", "tenants/a/packs/12", "tenants/a/packs/2")
    for key in (*packs, "tenants/a/other", "tenants/ab/packs/1"):
        blobs.put(key, b"xyz")
    assert keys(blobs, "tenants/a/packs/1") == ["tenants/a/packs/1", "tenants/a/packs/12"]
    assert keys(blobs, "tenants/a/") == ["tenants/a/other", *packs]
    assert keys(blobs, "tenants/none/") == []
    info = next(iter(blobs.list("tenants/ab/")))
    assert info.size == 3
    assert abs(info.modified - time.time() * 1000) < 60_000


def test_a_local_file_holds_the_bytes(blobs: Blobs) -> None:
    blobs.put(KEY, b"mapped")
    assert blobs.local(KEY).read_bytes() == b"mapped"
    assert blobs.local(KEY) == blobs.local(KEY)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/./b", "a\\b", "a/.hidden", "a\0b", "é"]
)
def test_a_key_that_leads_elsewhere_is_refused(blobs: Blobs, key: str) -> None:
    with pytest.raises(Invalid):
        blobs.put(key, b"x")
    with pytest.raises(Invalid):
        blobs.read(key)
    with pytest.raises(Invalid):
        blobs.delete(key)


def test_a_range_that_cannot_be_is_refused(blobs: Blobs) -> None:
    blobs.put(KEY, b"x")
    with pytest.raises(Invalid):
        blobs.read(KEY, -1, 1)
    with pytest.raises(Invalid):
        blobs.read(KEY, 0, -1)
