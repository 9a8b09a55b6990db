import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import ROOT, SCRIPTS, report, rewritten, table

SLOW = {"catalogue", "demo_search", "gateway", "freshness", "sample"} | {
    name for name in SCRIPTS if name.startswith("import_")
}
PAGE = "# Results\n\n<!-- bench:one -->\nold\n<!-- /bench:one -->\n\nAfter.\n"


def run(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_script_that_makes_claims_is_in_the_report() -> None:
    folder = Path(ROOT, "benchmarks")
    claiming = {path.stem for path in folder.glob("*.py") if " tell(" in path.read_text()}
    assert claiming - {"claims"} == set(SCRIPTS)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.long) if name in SLOW else name for name in SCRIPTS],
)
def test_a_quick_run_prints_one_object_with_claims(name: str) -> None:
    found = run(name)
    assert found["bench"] == name
    assert found["claims"]
    for claim in found["claims"]:
        assert set(claim) == {"name", "value", "bound", "target", "unit", "held"}
        assert isinstance(claim["held"], bool)
    assert found["details"]
    assert {"processor", "cores", "load"} <= set(found["machine"])


def test_a_table_is_rewritten_between_its_marks_and_nothing_else_is_touched() -> None:
    assert rewritten(PAGE, "one", "new") == PAGE.replace("old", "new")


def test_a_benchmark_without_a_place_gets_a_section_at_the_end() -> None:
    page = rewritten(PAGE, "two", "its table")
    assert page.startswith(PAGE)
    assert page.endswith("## two\n\n<!-- bench:two -->\nits table\n<!-- /bench:two -->\n")
    assert rewritten(page, "two", "its table") == page


def test_marks_that_are_never_closed_are_refused() -> None:
    with pytest.raises(SystemExit, match="never closed"):
        rewritten("<!-- bench:one -->\nold\n", "one", "new")


def test_a_table_names_the_processor_the_day_and_what_did_not_hold() -> None:
    claim = {"name": "wait", "value": 5, "bound": "at most", "target": 4, "unit": "ms"}
    result = {
        "bench": "one",
        "machine": {"processor": "Quick 9", "cores": 2, "load": 0.5},
        "claims": [claim | {"held": False}],
        "details": {},
    }
    text = table(result, date(2026, 3, 1))
    assert "| wait | 5 ms | ≤ 4 ms | **no** |" in text
    assert "Quick 9, 2 cores, load 0.5, 2026-03-01" in text


def test_what_was_compared_is_a_table_above_the_claims() -> None:
    rows = [
        {
            "name": "small",
            "pictures_per_second": 1480.5,
            "quality": {"same kind": 0.66},
            "note": "",
        },
        {"name": "large", "pictures_per_second": None, "quality": {}, "note": "not installed"},
    ]
    result = {
        "bench": "one",
        "machine": {"processor": "Quick 9", "cores": 2, "load": 0.5},
        "claims": [],
        "details": {"compared": rows},
    }
    assert table(result, date(2026, 3, 1)).splitlines()[:6] == [
        "| name | pictures per second | quality | note |",
        "| --- | --- | --- | --- |",
        "| small | 1,480.5 | same kind 0.66 |  |",
        "| large |  |  | not installed |",
        "",
        "| claim | measured | target | held |",
    ]


def test_a_report_writes_a_page_that_is_not_there(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    assert report(["search"], page, quick=True) == 0
    assert "<!-- bench:search -->\n| claim |" in page.read_text()


def test_a_benchmark_that_fails_is_counted_and_leaves_the_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(PAGE)
    assert report(["no_such_benchmark"], page, quick=True) == 1
    assert page.read_text() == PAGE
