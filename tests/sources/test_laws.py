"""What holds in every format: a file is cut anywhere, and what is damaged is all that is lost."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sources import bson as bson_module
from shared.sources import cutting
from shared.sources.records import BadRecord, ChunkRange, Document
from tests.sources.kinds import COLUMNS, KINDS, Entry, Kind

quick = settings(max_examples=50, deadline=None)
thorough = settings(max_examples=200, deadline=None)
every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)

# What formats trip over: their quotes, separators and line ends, and letters of one to four bytes.
text = st.text("ab\",;|\t\r\n'{}[]\\é€\u2028", max_size=12).map(str.strip)
entry = st.fixed_dictionaries({"sku": text.filter(bool), "title": text, "note": text}).map(
    lambda fields: {column: fields[column] for column in COLUMNS if fields[column]}
)
entries = st.lists(entry, min_size=1, max_size=12)


def seen(found: list[Document | BadRecord]) -> list[tuple[int, Any]]:
    return [(one.offset, one.code if isinstance(one, BadRecord) else one.fields) for one in found]


def said(one: Document | BadRecord) -> Entry | None:
    """The texts of an entry; ids that a manner adds are left out."""
    if isinstance(one, BadRecord):
        return None
    return {name: value for name, value in one.fields.items() if name != "_id"}


def storable(kind: Kind, written: list[Entry]) -> list[Entry]:
    """Without what the encoding of this manner cannot say."""
    return [
        {
            name: value.encode(kind.encoding, "replace").decode(kind.encoding)
            for name, value in one.items()
        }
        for one in written
    ]


@every
@quick
@given(written=entries)
def test_what_was_written_is_read(kind: Kind, written: list[Entry]) -> None:
    written = storable(kind, written)
    assert [said(one) for one in kind.read(kind.file(written))] == written


@every
@quick
@given(
    written=entries, records=st.integers(1, 5), block=st.integers(16, 200), most=st.integers(9, 500)
)
def test_ranges_hold_every_record_once_and_a_scan_goes_on_from_any(
    kind: Kind, written: list[Entry], records: int, block: int, most: int
) -> None:
    data = kind.file(storable(kind, written))
    read = lambda offset, length: data[offset : offset + length]  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_BLOCK_BYTES", block * 2)
        patch.setattr(bson_module, "_BLOCK_BYTES", block * 2)
        patch.setattr(cutting, "CHUNK_BYTES", most)
        whole = list(kind.format.scan(read, len(data), records=records))
        ranges = [piece for piece in whole if isinstance(piece, ChunkRange)]
        assert ranges == whole
        assert sum(piece.records for piece in ranges) == len(written)
        assert all(1 <= piece.records <= records for piece in ranges)
        assert all(one.offset + one.length <= two.offset for one, two in pairwise(ranges))
        assert len(kind.read(data)) == len(written)
        for n, piece in enumerate(ranges):
            end = piece.offset + piece.length
            again = kind.format.scan(read, len(data), start=end, records=records)
            assert list(again) == whole[n + 1 :]


@every
@quick
@given(written=entries, at=st.integers(0, 12), records=st.integers(1, 4))
def test_an_entry_that_cannot_be_read_harms_no_neighbour(
    kind: Kind, written: list[Entry], at: int, records: int
) -> None:
    good = storable(kind, written)
    data = kind.file(good[:at]) + kind.bad + kind.file(good[at:]).removeprefix(kind.head)
    found = kind.read_in_chunks(data, records)
    assert [said(one) for one in found if isinstance(one, Document)] == [
        said(one) for one in kind.read(kind.file(good))
    ]
    (bad,) = [one for one in found if isinstance(one, BadRecord)]
    assert bad.offset == len(kind.file(good[:at]))
    assert f"{bad.offset:,}" in bad.detail
    assert bad.detail.endswith(".")


@every
@thorough
@given(data=st.data(), records=st.integers(1, 4))
def test_damage_raises_nothing_and_is_the_same_in_chunks(
    kind: Kind, data: st.DataObject, records: int
) -> None:
    written = [{"sku": "1", "title": 'a "mug"', "note": "é\nb"}, {"sku": "2"}, {"sku": "3"}]
    file = bytearray(kind.file([*written, *written]))
    place = st.integers(len(kind.head), len(file) - 1)
    for at in data.draw(st.lists(place, max_size=6)):
        file[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del file[data.draw(place) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_BLOCK_BYTES", 32)
        patch.setattr(bson_module, "_BLOCK_BYTES", 32)
        found = kind.read_in_chunks(bytes(file), records)
    assert all(one.detail.endswith(".") for one in found if isinstance(one, BadRecord))
    assert all(one.offset < len(file) for one in found)
    assert seen(found) == seen(kind.read(bytes(file)))


@every
def test_an_empty_file_holds_nothing(kind: Kind) -> None:
    assert kind.read_in_chunks(b"", 64) == kind.read(kind.head) == []
