import pytest

from shared.errors import Invalid, Malformed
from shared.sources.categories import categories

HEADER = "category_id,category_level1,category_level2,category_level3\n"


def test_a_category_is_a_path_of_three_levels() -> None:
    text = HEADER + '1000021794,ABONNEMENT,CARTE PREPAYEE,"CARTE, MULTIMEDIA"\n'
    assert categories(text) == {
        1000021794: ("ABONNEMENT", "CARTE PREPAYEE", "CARTE, MULTIMEDIA"),
    }


def test_empty_levels_are_left_out() -> None:
    assert categories(HEADER + "1,Home,,\n2,Home,Kitchen") == {1: ("Home",), 2: ("Home", "Kitchen")}


def test_a_byte_order_mark_and_other_columns_do_no_harm() -> None:
    text = "\ufeffnote," + HEADER + "x,3,A,B,C\r\n"
    assert categories(text) == {3: ("A", "B", "C")}


@pytest.mark.parametrize("text", ["", "category_id;category_level1\n", HEADER.replace("3", "4")])
def test_missing_columns_are_named(text: str) -> None:
    with pytest.raises(Malformed, match=r"lacks the columns .*category_level3"):
        categories(text)


def test_a_category_that_is_no_number_is_told_with_its_line() -> None:
    with pytest.raises(Invalid, match=r"Line 3 .*'seven'"):
        categories(HEADER + "1,A,B,C\nseven,A,B,C\n")
