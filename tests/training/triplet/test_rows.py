"""Triplets out of a CSV: what is wrong is told with its line and left out, and the rest is taken."""

import csv
from pathlib import Path

import pytest

from services.embedder.training.triplet.rows import FEWEST, among, enough, in_folder, read_triplets
from shared.errors import Invalid


def _written(folder: Path, text: str) -> Path:
    file = folder / "triplets.csv"
    file.write_text(text, encoding="utf-8")
    return file


def _with_files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"picture")
    return folder


def test_rows_are_read_with_their_lines(tmp_path: Path) -> None:
    rows = read_triplets(_written(tmp_path, "a.jpg,b.jpg,c.jpg\n\n d.jpg , e.jpg,f.jpg\n"))
    assert [(row.line, row.names) for row in rows.good] == [
        (1, ("a.jpg", "b.jpg", "c.jpg")),
        (3, ("d.jpg", "e.jpg", "f.jpg")),
    ]
    assert not rows.failures


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_header_puts_the_columns_in_any_order_among_others(tmp_path: Path, mark: str) -> None:
    text = f"{mark}n,Negative,query,POSITIVE\n1,c.jpg,a.jpg,b.jpg\n"
    (row,) = read_triplets(_written(tmp_path, text)).good
    assert (row.line, row.names) == (2, ("a.jpg", "b.jpg", "c.jpg"))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.jpg,b.jpg", "Line 2: 2 columns where 3 are meant"),
        ("a.jpg,b.jpg,c.jpg,d.jpg", "Line 2: 4 columns where 3 are meant"),
        ("a.jpg,,c.jpg", "Line 2: no positive is named"),
        ("a.jpg,a.jpg,c.jpg", "Line 2: query and positive are the same, 'a.jpg'"),
        ("a.jpg,b.jpg,a.jpg", "Line 2: the negative is the query or the positive too, 'a.jpg'"),
        ("a.jpg,b.jpg,lost.jpg", "Line 2: there is no file 'lost.jpg'"),
        ("a.jpg,b.jpg,../triplets.csv", "Line 2: '../triplets.csv' lies outside"),
        ("a.jpg,b.jpg,link.jpg", "Line 2: 'link.jpg' lies outside"),
        ("a.jpg,b.jpg,./b.jpg", "Line 2: two of its three names are one file"),
        (f"a.jpg,b.jpg,{'c' * 400}.jpg", "Line 2: 'cccc"),
        ("a.jpg,b.jpg,c\0.jpg", "Line 2: "),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_left_out(tmp_path: Path, row: str, why: str) -> None:
    folder = _with_files(tmp_path / "pictures", "a.jpg", "b.jpg", "c.jpg")
    (folder / "link.jpg").symlink_to(tmp_path / "triplets.csv")
    text = f"a.jpg,b.jpg,c.jpg\n{row}\nb.jpg,a.jpg,c.jpg\n"
    rows = in_folder(read_triplets(_written(tmp_path, text)), folder)
    assert [one.line for one in rows.good] == [1, 3]
    (told,) = rows.failures
    assert told.startswith(why)


def test_one_photo_spelled_in_two_ways_is_one(tmp_path: Path) -> None:
    folder = _with_files(tmp_path, "x/a.jpg", "x/b.jpg", "c.jpg")
    rows = in_folder(read_triplets(_written(tmp_path, "x/a.jpg,x/../x/b.jpg,./c.jpg\n")), folder)
    assert rows.good[0].names == ("x/a.jpg", "x/b.jpg", "c.jpg")
    assert rows.numbered({"x/a.jpg": 4, "x/b.jpg": 2, "c.jpg": 0}).tolist() == [[4, 2, 0]]


def test_names_that_are_not_known_are_told(tmp_path: Path) -> None:
    rows = read_triplets(_written(tmp_path, "p1,p2,p3\np1,p2,p9\n"))
    known = among(rows, {"p1", "p2", "p3"}, "no product here")
    assert len(known.good) == 1
    assert known.failures == ("Line 2: 'p9' is no product here.",)


def test_too_few_rows_are_an_error_that_says_what_was_wrong(tmp_path: Path) -> None:
    good = "a,b,c\n" * FEWEST
    assert enough(read_triplets(_written(tmp_path, good)))
    rows = read_triplets(_written(tmp_path, good[6:] + "a,b\n"))
    with pytest.raises(
        Invalid, match=rf"7 triplets of 8 can be used, .* 8 at least\. Line {FEWEST}: 2 col"
    ):
        enough(rows)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a,b,\xff\xfe\n", "no text in UTF-8"),
        (None, "cannot be read"),
        (b'a,"b\n' * 9, r"0 triplets of \d can be used"),
    ],
)
def test_a_file_that_is_no_csv_is_refused(tmp_path: Path, data: bytes | None, why: str) -> None:
    file = tmp_path / "triplets.csv"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(Invalid, match=why):
        enough(read_triplets(file))


def test_a_file_that_is_wrong_throughout_is_told_in_a_few_lines(tmp_path: Path) -> None:
    rows = read_triplets(_written(tmp_path, "a;b;c\n" * 40))
    with pytest.raises(Invalid) as told:
        enough(rows)
    assert told.value.detail.count("1 column where 3 are meant, parted by commas") == 5
    assert told.value.detail.endswith("So it goes on, 35 times.")


def test_a_quotation_mark_that_is_not_closed_says_what_it_swallowed(tmp_path: Path) -> None:
    rows = read_triplets(_written(tmp_path, 'a,b,c\n"d,e,f\ng,h,i\n'))
    assert [row.line for row in rows.good] == [1]
    assert rows.failures == (
        "Lines 2 to 3: a quotation mark was opened and not closed in its line.",
    )


def test_other_columns_may_go_over_several_lines(tmp_path: Path) -> None:
    text = 'query,positive,negative,note\na,b,c,"one\ntwo"\nd,e,f,none\n'
    rows = read_triplets(_written(tmp_path, text))
    assert [(row.line, row.names) for row in rows.good] == [
        (2, ("a", "b", "c")),
        (4, ("d", "e", "f")),
    ]
    assert not rows.failures


def test_a_file_with_a_field_that_is_too_long_is_refused(tmp_path: Path) -> None:
    usual = csv.field_size_limit(1_000)
    try:
        with pytest.raises(Invalid, match="is no CSV from line 1 on: field larger"):
            read_triplets(_written(tmp_path, "a,b," + "c" * 2_000 + "\n"))
    finally:
        csv.field_size_limit(usual)
