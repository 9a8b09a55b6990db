"""Every named rule has a place in the code, and a test that notices when it is gone."""

import re
from collections.abc import Sequence

import pytest

from tests.protocols.ablation import PAGE, ROOT, Removal, elsewhere, page, prove, removals, rules

ALL = removals()


def _ids(chosen: Sequence[Removal]) -> list[str]:
    return [f"{removal.rule}-{number}" for number, removal in enumerate(chosen)]


def test_every_named_rule_can_be_taken_away_or_says_why_not() -> None:
    removable = {removal.rule for removal in ALL}
    assert removable | elsewhere().keys() == set(rules())
    assert not removable & elsewhere().keys()


@pytest.mark.parametrize("removal", ALL, ids=_ids(ALL))
def test_a_removal_fits_the_code_and_names_tests_that_are_there(removal: Removal) -> None:
    assert (ROOT / removal.file).read_text(encoding="utf-8").count(removal.old) == 1
    assert removal.new != removal.old
    assert removal.red
    for test in removal.red:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_rule_marked_in_the_code_has_a_name() -> None:
    marked = {
        name
        for folder in ("shared", "services")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"# rule: (\w+)", file.read_text(encoding="utf-8"))
    }
    assert marked == {removal.rule for removal in ALL}


def test_the_page_of_the_rules_says_what_is_so() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_rule_that_is_taken_away_turns_its_tests_red() -> None:
    unnoticed = [verdict for verdict in prove(ALL) if verdict.stayed_green]
    assert not unnoticed
