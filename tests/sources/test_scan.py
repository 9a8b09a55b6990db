import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import bson as library
import pytest
from bson.objectid import ObjectId

from shared.sources import bson, cutting
from shared.sources.bson import Bson, encode, scan
from shared.sources.records import BadRecord, ChunkRange, Record, file_reader

Scanned = Callable[..., list[ChunkRange | BadRecord]]
ReadAll = Callable[[bytes], list[Record | BadRecord]]


def ids(read: list[Record | BadRecord]) -> list[str]:
    return [item.product_id if isinstance(item, Record) else item.code for item in read]


def test_ranges_lie_end_to_end_and_count_every_record(
    scanned: Scanned, records: list[bytes]
) -> None:
    data = b"".join(records)
    ranges = [piece for piece in scanned(data, records=4) if isinstance(piece, ChunkRange)]
    assert [piece.records for piece in ranges] == [4, 4, 2]
    ends = [piece.offset + piece.length for piece in ranges]
    assert [piece.offset for piece in ranges] == [0, *ends[:-1]]
    assert ends[-1] == len(data)


def test_a_scan_goes_on_from_the_end_of_any_range(scanned: Scanned, records: list[bytes]) -> None:
    data = b"".join(records)
    whole = scanned(data, records=3)
    for n, piece in enumerate(whole):
        assert isinstance(piece, ChunkRange)
        assert scanned(data, start=piece.offset, records=3) == whole[n:]


def test_an_empty_file_has_no_ranges(scanned: Scanned) -> None:
    assert scanned(b"") == []


def test_scanning_reads_in_blocks_and_steps_over_what_is_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bson, "_BLOCK_BYTES", 64)
    data = b"".join(encode(n, [b"x" * 10_000]) for n in range(20))
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return data[offset : offset + length]

    (piece,) = scan(read, len(data))
    assert piece == ChunkRange(0, len(data), 20)
    assert sum(asked) < len(data) / 50


def test_a_range_is_closed_early_when_its_records_are_large(
    scanned: Scanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "CHUNK_BYTES", 5_000)
    data = b"".join(encode(n, [b"x" * 2_000]) for n in range(9))
    sizes = [piece.records for piece in scanned(data) if isinstance(piece, ChunkRange)]
    assert sizes == [3, 3, 3]


def test_a_local_file_is_read_by_position(tmp_path: Path, records: list[bytes]) -> None:
    path = tmp_path / "catalogue.bson"
    path.write_bytes(b"".join(records))
    with path.open("rb") as file:
        assert list(scan(file_reader(file), path.stat().st_size)) == [
            ChunkRange(0, path.stat().st_size, 10)
        ]


@pytest.mark.parametrize("lost", [1, 3, 50])
def test_a_torn_last_record_is_told_and_the_others_stand(
    scanned: Scanned, records: list[bytes], lost: int
) -> None:
    data = b"".join(records)[:-lost]
    good, torn = scanned(data)
    last = len(data) + lost - len(records[-1])
    assert good == ChunkRange(0, last, 9)
    assert isinstance(torn, BadRecord)
    assert (torn.offset, torn.code) == (last, "torn_record")
    assert f"byte {last:,}" in torn.detail


def test_a_file_that_ends_inside_a_length_is_torn(scanned: Scanned, records: list[bytes]) -> None:
    _, torn = scanned(records[0] + b"\x10\x00")
    assert isinstance(torn, BadRecord)
    assert (torn.offset, torn.code) == (len(records[0]), "torn_record")


def test_a_file_that_shrinks_while_it_is_read_is_torn(records: list[bytes]) -> None:
    data = b"".join(records)
    pieces = list(scan(lambda at, n: data[:100][at : at + n], 10**12))
    assert isinstance(pieces[-1], BadRecord)


@pytest.mark.parametrize(
    ("length", "code"),
    [
        (0, "bad_length"),
        (-1, "bad_length"),
        (4, "bad_length"),
        (bson.MAX_RECORD_BYTES + 1, "bad_length"),
        (2**31 - 1, "bad_length"),
        (10_000_000, "torn_record"),
        (80, "bad_end"),
    ],
)
def test_a_damaged_length_loses_one_record_only(
    read_all: ReadAll, records: list[bytes], length: int, code: str
) -> None:
    records[4] = struct.pack("<i", length) + records[4][4:]
    read = read_all(b"".join(records))
    assert ids(read) == ["0", "1", "2", "3", code, "5", "6", "7", "8", "9"]
    assert read[4].offset == sum(map(len, records[:4]))


@pytest.mark.parametrize("garbage", [b"\0" * 5, b"not a record at all", b"\xff" * 5_000])
def test_garbage_between_records_is_told_and_stepped_over(
    read_all: ReadAll, records: list[bytes], garbage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bson, "_BLOCK_BYTES", 100)
    read = read_all(b"".join([*records[:2], garbage, *records[2:]]))
    assert [item.product_id for item in read if isinstance(item, Record)] == [*map(str, range(10))]
    bad = [item for item in read if isinstance(item, BadRecord)]
    assert [item.offset for item in bad] == [len(records[0]) + len(records[1])]


@pytest.mark.parametrize("block", range(9, 40))
def test_a_record_is_found_again_wherever_the_blocks_fall(
    read_all: ReadAll, records: list[bytes], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bson, "_BLOCK_BYTES", block)
    read = read_all(b"\xff" * 77 + records[3] + records[4])
    assert ids(read) == ["bad_length", "3", "4"]


def test_a_record_of_exactly_the_largest_size_is_taken(scanned: Scanned) -> None:
    empty = len(encode(1, [b""]))
    data = encode(1, [b"x" * (bson.MAX_RECORD_BYTES - empty)])
    assert scanned(data) == [ChunkRange(0, bson.MAX_RECORD_BYTES, 1)]


def of(first: Mapping[str, object], pictures: int = 2) -> bytes:
    """A record that begins as told; its pictures are documents that begin with `name`."""
    images = [{"name": f"{n}.jpg", "picture": b"x" * 50} for n in range(pictures)]
    return library.encode({**first, "images": images, "note": "_id\0 is no field here"})


FIRST = [
    {"_id": 7},
    {"_id": 2**40},
    {"_id": "mug"},
    {"_id": ObjectId("0123456789abcdef01234567")},
    {"name": "mug", "_id": 7},
    {"sku": "mug"},
    {"stock": 3.5, "sku": "mug"},
    {"made": datetime(2024, 1, 2, tzinfo=UTC), "id": 5},
]


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("block", [70, 4096])
@pytest.mark.parametrize(
    "garbage", [b"\0" * 7, b"garbage", b"\xff" * 300, struct.pack("<i", 2**30) + b"\x02name\0torn"]
)
def test_records_are_found_again_by_the_field_they_begin_with(
    monkeypatch: pytest.MonkeyPatch, first: Mapping[str, object], block: int, garbage: bytes
) -> None:
    monkeypatch.setattr(bson, "_BLOCK_BYTES", block)
    record = of(first)
    data = record * 2 + garbage + record * 2 + b"\x01" + record[1:] + record
    found = [(one.offset, isinstance(one, BadRecord)) for one in Bson().documents(data, 1_000)]
    size, start = len(record), 1_000 + 2 * len(record) + len(garbage)
    assert found == [
        (1_000, False),
        (1_000 + size, False),
        (1_000 + 2 * size, True),
        (start, False),
        (start + size, False),
        (start + 2 * size, True),
        (start + 3 * size, False),
    ]


def test_a_document_within_a_damaged_record_is_no_record() -> None:
    record = of({"name": "mug"})
    damaged = b"\x01" + record[1:]
    found = list(Bson().documents(record + damaged + record))
    assert [isinstance(one, BadRecord) for one in found] == [False, True, False]
