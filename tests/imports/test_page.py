"""docs/imports.md says of bad input what these tests show of it."""

import re
from pathlib import Path

from tests.imports.bad_records import CASES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "imports.md").read_text(encoding="utf-8")
_ENTRY = re.compile(
    r"^\| (bson|jsonl|csv) \| (.+?) \| (.+?) \| (?:`(\w+)`|—) \| (.+) \|$", re.MULTILINE
)
_TEST = re.compile(r"\(\.\./(tests/[^)]+\.py)\) `(test_\w+)`")


def test_every_bad_entry_has_its_row_and_every_row_its_test() -> None:
    table = PAGE.partition("## Entries that are wrong")[2].partition("\n## ")[0]
    rows = [(form, name, fate, code or None) for form, name, fate, code, _ in _ENTRY.findall(table)]
    assert rows == [(case.form, case.name, case.fate, case.code) for case in CASES]


def test_every_test_that_the_page_names_is_there() -> None:
    named = _TEST.findall(PAGE)
    assert named
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name
