"""Whatever stands in a file, reading it yields records and bad records, and nothing escapes."""

from collections.abc import Callable
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.sources.bson import decode, encode
from shared.sources.categories import categories
from shared.sources.records import BadRecord, ChunkRange, Record

Scanned = Callable[..., list[ChunkRange | BadRecord]]

RICH = encode(
    5,
    [b"\xff\xd8abc" * 5, b"second"],
    category_id=7,
    extras={
        "title": "x",
        "price": bson.decimal128.Decimal128("1.5"),
        "code": bson.code.Code("a", {"x": 1}),
        "ref": bson.dbref.DBRef("a", 1),
        "pattern": bson.regex.Regex("a"),
        "seen": bson.datetime_ms.DatetimeMS(5),
        "custom": {"a": [1, {"b": 2.5}]},
    },
)
quick = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
damage = st.lists(st.tuples(st.integers(0, 3 * len(RICH) - 1), st.integers(0, 255)), max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


def damaged(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    out = bytearray(data)
    for at, value in changes:
        out[at] = value
    return bytes(out)


@quick
@given(damage, st.integers(0, len(RICH)))
def test_damaged_records_become_bad_records(changes: list[tuple[int, int]], lost: int) -> None:
    data = damaged(RICH * 3, changes)[: 3 * len(RICH) - lost]
    for item in decode(data, 10):
        assert isinstance(item, Record | BadRecord)
        assert 10 <= item.offset < 10 + len(data)
        assert not isinstance(item, BadRecord) or item.detail.endswith(".")


@quick
@given(st.binary(max_size=300))
def test_noise_is_read_to_its_end(scanned: Scanned, data: bytes) -> None:
    offset = 0
    for piece in scanned(data, records=2):
        assert piece.offset >= offset
        offset = piece.offset + (piece.length if isinstance(piece, ChunkRange) else 0)
    assert offset <= len(data)
    assert all(isinstance(item, Record | BadRecord) for item in decode(data))


@quick
@given(st.dictionaries(st.sampled_from(["_id", "category_id", "imgs", "title"]), plain))
def test_documents_of_any_form_are_records_or_refused(document: dict[str, Any]) -> None:
    (item,) = decode(bson.encode(document))
    assert isinstance(item, Record | BadRecord)


@quick
@given(st.text())
def test_a_category_file_is_read_or_refused_with_a_sentence(text: str) -> None:
    header = "category_id,category_level1,category_level2,category_level3\n"
    for content in (text, header + text):
        try:
            categories(content)
        except Invalid as error:
            assert error.detail.endswith(".")  # noqa: PT017


@pytest.mark.parametrize("size", [0, 1, 4, 5, 100])
def test_zeroes_are_read_to_their_end(scanned: Scanned, size: int) -> None:
    assert len(scanned(b"\0" * size)) == min(size, 1)
