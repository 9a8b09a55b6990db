"""The exam's page: which questions are on it, and that what shops write stays text."""

import base64
import re

import numpy as np
import pytest

from services.indexer.exam.exam import Exam, Side, examine
from services.indexer.exam.photos import Taken
from services.indexer.exam.report import names_of, report, sheet_page
from services.indexer.exam.sheets import ROWS, marks_of, sheets, some
from tests.indexer.exam_papers import Paper, noisy, paper, shop

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"


@pytest.fixture(scope="module")
def exam() -> Exam:
    good = shop(60)
    return held(noisy(good, 0.4), good)


def held(mine: Paper, other: Paper | None = None) -> Exam:
    sides = [Side(name, made.judged()) for name, made in (("mine", mine), ("other", other)) if made]
    return examine(sides[0], sides[1] if other else None, lambda *_: None)


def test_the_best_the_worst_and_the_most_changed_are_shown(exam: Exam) -> None:
    best, worst, changed = sheets(exam)
    marks = marks_of(exam.questions, exam.mine.answers["blend"])
    assert [len(sheet.rows) for sheet in (best, worst, changed)] == [ROWS] * 3
    assert [row.mark for row in best.rows] == sorted(marks, reverse=True)[:ROWS]
    assert [row.mark for row in worst.rows] == pytest.approx(sorted(marks)[:ROWS])
    other = marks_of(exam.questions, exam.other.answers["blend"]) if exam.other else marks
    apart = [abs((row.mark or 0) - (row.other_mark or 0)) for row in changed.rows]
    assert apart == pytest.approx(sorted(np.abs(marks - other), reverse=True)[:ROWS])


def test_a_row_is_what_a_search_without_the_photo_shows(exam: Exam) -> None:
    photos = exam.photos
    for row in sheets(exam)[0].rows:
        products = [int(photos.product_of[one.photo]) for one in row.near]
        assert len(set(products)) == 10
        assert row.photo not in {one.photo for one in row.near}
        falling = [one.similarity for one in row.near]
        assert falling == sorted(falling, reverse=True)
        mine = int(photos.product_of[row.photo])
        for product, one in zip(products, row.near, strict=True):
            same = photos.category_of[product] == photos.category_of[mine]
            assert one.right == ("product" if product == mine else "category" if same else "")


def test_nothing_changed_between_a_model_and_itself() -> None:
    made = shop(20)
    assert sheets(held(made, made))[2].rows == ()


def test_pictures_are_in_the_page_once_each(exam: Exam) -> None:
    shown = sheets(exam)
    names = names_of(exam.photos, shown)
    pictures = {
        name: (PNG if number % 2 else JPEG) + name.encode() for number, name in enumerate(names)
    }
    page = report(exam, shown, pictures)
    for kind, start in (("png", PNG), ("jpeg", JPEG)):
        found = re.findall(rf'url\("data:image/{kind};base64,([^"]*)"\)', page)
        wanted = [picture for picture in pictures.values() if picture.startswith(start)]
        assert sorted(map(base64.b64decode, found)) == sorted(wanted)
    assert "missing" not in page.partition("</style>")[2]


def test_a_picture_that_is_gone_is_shown_as_missing(exam: Exam) -> None:
    page = report(exam, sheets(exam)[:1], {})
    assert page.partition("</style>")[2].count('class="photo missing"') > ROWS


def test_what_shops_write_stays_text() -> None:
    made = shop(20)
    taken = tuple(
        Taken(one.name, one.product, "<b>Lamps & $co", '"><script>alert(1)</script>')
        for one in made.taken
    )
    page = report(found := held(Paper(taken, made.vectors)), sheets(found), {})
    assert "<script" not in page
    assert "<b>" not in page
    assert "Lamps &amp; $co" in page


def test_the_figures_are_in_the_page_as_they_are_told(exam: Exam) -> None:
    page = report(exam, [], {})
    told = exam.told()
    value = told["index"]["blend"]["category_precision_at_10"]["value"]
    assert f"<td>{100 * value:.1f} <small>" in page
    apart = told["difference"]["blend"]["same_product_first"]["value"]
    assert f'<span class="worse">\N{MINUS SIGN}{-100 * apart:.1f}</span>' in page


def test_a_sheet_without_questions_shows_photos_all_the_same() -> None:
    made = held(paper([1] * 8, [""] * 8))
    drawn = some(made, 5)
    assert [(row.mark, len(row.near)) for row in drawn.rows] == [(None, 7)] * 5
    assert sheet_page(made, drawn, {}).count("<article") == 5
