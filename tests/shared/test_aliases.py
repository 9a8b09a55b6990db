"""Where a rollback of an alias leads."""

from shared.indexes import KEPT_MOVES, Ground, Move, Why, unset


def before(*turns: str) -> str | None:
    """After these turns, `<` in front of an index to which somebody rolled back."""
    alias = unset("shop", "live")
    for turn in turns:
        ground: Ground = "rolled_back" if turn.startswith("<") else "passed"
        alias = alias.moved(Move(turn.removeprefix("<"), 0, Why(ground)))
    return alias.before


def test_a_first_index_has_none_before_it() -> None:
    assert before() is None
    assert before("one") is None


def test_a_rollback_leads_to_where_the_alias_was() -> None:
    assert before("one", "two") == "one"
    assert before("one", "two", "one") == "two"


def test_one_rollback_after_the_other_goes_further_back_and_never_forth() -> None:
    assert before("one", "two", "three", "<two") == "one"
    assert before("one", "two", "three", "<two", "<one") is None


def test_what_was_taken_back_is_gone_from_the_way_back() -> None:
    assert before("one", "two", "<one", "three") == "one"
    assert before("one", "two", "<one", "three", "four") == "three"


def test_a_way_back_that_is_forgotten_in_part_is_gone_as_far_as_it_is_known() -> None:
    turns = [f"i{number}" for number in range(KEPT_MOVES + 9)]
    assert before(*turns) == turns[-2]
    assert before(*turns, f"<{turns[-2]}") == turns[-3]
