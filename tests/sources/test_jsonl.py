"""Lines of JSON, and what is told of one that is none."""

import pytest

from shared.sources import cutting
from shared.sources.jsonl import Jsonl
from shared.sources.records import BadRecord, ChunkRange, Document


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (b'{"id": 1', "not_json", "no JSON"),
        (b"[1, 2]", "wrong_type", "no JSON object"),
        (b'{"id": "\xe9"}', "not_utf8", "write the file in UTF-8"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "not_json", "no JSON"),
        (b"[" * 100_000, "not_json", "no JSON"),
    ],
)
def test_a_line_that_is_none_is_told_with_its_byte_and_number(
    line: bytes, code: str, words: str
) -> None:
    before, bad, after = Jsonl().documents(b'{"id": 0}\n\n' + line + b'\n{"id": 2}', 100)
    assert (before, after) == (
        Document(100, {"id": 0}),
        Document(112 + len(line), {"id": 2}),
    )
    assert isinstance(bad, BadRecord)
    assert (bad.offset, bad.code) == (111, code)
    assert words in bad.detail
    assert "byte 111 (line 3 from byte 100)" in bad.detail


def test_blank_lines_are_no_records() -> None:
    data = b'\n \r\n{"id": 1}\n\n\t\n{"id": 2}\r\n\r\n'
    assert [one.offset for one in Jsonl().documents(data)] == [4, 17]
    assert list(Jsonl().scan(lambda at, n: data[at : at + n], len(data))) == [ChunkRange(0, 28, 2)]


@pytest.mark.parametrize("length", [2_000, 300])
def test_a_line_that_is_too_long_is_stepped_over(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(cutting, "_BLOCK_BYTES", 128)
    monkeypatch.setattr(cutting, "MAX_LINE_BYTES", 256)
    data = b'{"id": 1}\n' + b"x" * length + b'\n{"id": 2}\n'
    first, bad, second = Jsonl().scan(lambda at, n: data[at : at + n], len(data))
    assert first == ChunkRange(0, 10, 1)
    assert isinstance(bad, BadRecord)
    assert (bad.offset, bad.code) == (10, "too_long")
    assert second == ChunkRange(11 + length, 10, 1)
    assert [one.offset for one in Jsonl().documents(data)] == [0, 10, 11 + length]


def test_a_line_that_is_too_long_and_the_last_ends_the_scan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutting, "_BLOCK_BYTES", 128)
    monkeypatch.setattr(cutting, "MAX_LINE_BYTES", 256)
    data = b"x" * 3_000
    (bad,) = Jsonl().scan(lambda at, n: data[at : at + n], len(data))
    assert isinstance(bad, BadRecord)


def test_lines_are_cut_early_when_they_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "CHUNK_BYTES", 100)
    data = b'{"id": "%s"}\n' % (b"x" * 40) * 9
    pieces = list(Jsonl().scan(lambda at, n: data[at : at + n], len(data)))
    assert [piece.records for piece in pieces if isinstance(piece, ChunkRange)] == [2, 2, 2, 2, 1]
