import re
from pathlib import Path

from services.embedder.training.classifier.confusion import SHOWN, Guess, page
from services.embedder.training.pictures import Photo, in_folders
from tests.training.drawn import draw_folders


def guess(true: str, taken: str) -> Guess:
    return Guess(Photo("p", true, "p.jpg", lambda: b""), taken)


def test_mistakes_are_counted_and_shown_with_pictures(tmp_path: Path) -> None:
    photos = in_folders(draw_folders(tmp_path, categories=2, each=3))
    taken = ["kind/0", "kind/1", "kind/1", "kind/1", "kind/1", "kind/1"]
    html = page("ours", [Guess(*pair) for pair in zip(photos, taken, strict=True)])
    assert "4 of 6 photos" in html
    assert "<b>kind/0</b> taken for <b>kind/1</b>: 2" in html
    assert html.count("data:image/jpeg;base64,") == 2
    cells = re.findall(r"<td[^>]*>(\d*)</td>", html)
    assert cells == ["1", "2", "", "3"]
    assert not re.search(r'(src|href)="(?!data:)', html), "it needs no other file"


def test_names_of_categories_are_no_markup() -> None:
    html = page("<i>", [guess("<script>", "a & b")])
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "a &amp; b" in html


def test_of_very_many_categories_those_with_mistakes_are_shown() -> None:
    right = [guess(f"right {n}", f"right {n}") for n in range(3 * SHOWN)]
    html = page("ours", [*right, guess("hat", "shoe")])
    assert f"{SHOWN} of {3 * SHOWN + 2} categories are shown" in html
    assert html.count("<thead>") == 1
    assert "<th>hat</th>" in html
    assert len(re.findall(r"<th>", html)) == 2 * SHOWN + 1


def test_a_photo_that_is_gone_since_is_left_out() -> None:
    assert "<img" not in page("ours", [guess("hat", "shoe")])


def test_without_a_mistake_there_is_nothing_to_show() -> None:
    assert "<p>Nothing.</p>" in page("ours", [guess("hat", "hat")])
