"""CSV as it comes: what is guessed of its dialect, and rows that are not as they should be."""

import csv
import io
import json

import pytest

from shared.errors import Invalid
from shared.sources.formats import dialect_of, format_of
from shared.sources.records import BadRecord, Document

ROWS = [
    ["id", "title", "price", "image"],
    ["1", "Mug, teal; large", "12,50", "https://shop.example/1.jpg"],
    ["2", 'Screen 5"', "1.299,00", "https://shop.example/2.jpg"],
    ["3", "Two\nlines", "3", "a.jpg"],
    ["4", "Été à l'œuvre", "4", "b.jpg"],
]


def opened(data: bytes) -> tuple[dict[str, object], list[Document | BadRecord]]:
    dialect = dict(dialect_of("csv", lambda at, n: data[at : at + n], len(data)))
    kept = json.loads(json.dumps(dialect))
    return dialect, list(format_of("csv", kept).documents(data))


def said(found: list[Document | BadRecord]) -> list[object]:
    return [one.code if isinstance(one, BadRecord) else list(one.fields.values()) for one in found]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_a_dialect_is_found_from_the_beginning(
    delimiter: str, end: str, codec: str, encoding: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(ROWS)
    dialect, found = opened(text.getvalue().encode(codec))
    assert (dialect["delimiter"], dialect["encoding"]) == (delimiter, encoding)
    assert dialect["header"] == ROWS[0]
    assert said(found) == ROWS[1:]


def test_single_quotes_are_seen_where_they_quote_and_not_where_they_are_apostrophes() -> None:
    dialect, found = opened(b"id;title\n1;'a; b'\n2;'c; d'\n")
    assert (dialect["quotechar"], said(found)) == ("'", [["1", "a; b"], ["2", "c; d"]])
    assert opened(b"id,title\n1,l'eau\n2,d'or\n")[0]["quotechar"] == '"'


def test_lines_may_end_as_on_old_macs() -> None:
    assert said(opened(b"id,title\r1,a\r2,b\r")[1]) == [["1", "a"], ["2", "b"]]


def test_bytes_that_no_windows_knows_are_latin_1() -> None:
    dialect, found = opened(b"id,title\n1,\x81\xe9\n")
    assert (dialect["encoding"], said(found)) == ("latin-1", [["1", "\x81é"]])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b"id,title,id\n1,a,b\n", "2 columns have the name 'id'"),
        (b"id,,title\n1,a,b\n", "Column 2 has no name"),
        (b'"id,title', "cannot be read"),
        (b"PK\x03\x04\x00\x01,\x02\n", "is this a CSV file"),
        (b"x" * 1024 * 1024, "no header"),
    ],
)
def test_a_file_without_a_header_that_can_be_used_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        opened(data)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b'2,"open\n', "bad_row"),
        (b'2,"a"b\n', "bad_row"),
        (b"2\n", "cell_count"),
        (b"2,a,b\n", "cell_count"),
    ],
)
def test_a_row_that_is_wrong_is_told_and_its_neighbours_stand(row: bytes, code: str) -> None:
    _, found = opened(b"id,title\n1,a\n" + row + b'3,"b"\n4,c\n')
    assert said(found) == [["1", "a"], code, ["3", "b"], ["4", "c"]]
    assert found[1].offset == 13


def test_a_row_in_another_encoding_than_the_beginning_is_told() -> None:
    _, found = opened(b"\xef\xbb\xbfid,title\n1,\xe9\n2,b\n")
    assert said(found) == ["bad_encoding", ["2", "b"]]


def test_a_stray_quote_is_a_letter_and_holds_up_no_row() -> None:
    _, found = opened(b'id,title\n1,5" screen\n2,"a\nb"\n3,7" screen\n4,c\n')
    assert said(found) == [["1", '5" screen'], ["2", "a\nb"], ["3", '7" screen'], ["4", "c"]]


def test_a_quote_that_is_never_closed_loses_one_row_of_a_long_file() -> None:
    rows = b"".join(b"%d,title %d\n" % (n, n) for n in range(100_000))
    data = b'id,title\n0,"open\n' + rows
    dialect = dialect_of("csv", lambda at, n: data[at : at + n], len(data))
    pieces = format_of("csv", dialect).scan(lambda at, n: data[at : at + n], len(data))
    assert sum(getattr(piece, "records", 0) for piece in pieces) == 100_001
    assert next(one for one in opened(data)[1] if isinstance(one, BadRecord)).offset == 9


def test_empty_cells_are_not_said_and_cells_are_trimmed() -> None:
    (only,) = opened(b"id,title,brand\n1,  a ,\n")[1]
    assert only == Document(15, {"id": "1", "title": "a"})


def test_a_cell_may_hold_a_picture_in_base64() -> None:
    _, found = opened(b"id,image\n1," + b"A" * 300_000 + b"\n")
    assert isinstance(found[0], Document)
    assert len(found[0].fields["image"]) == 300_000
