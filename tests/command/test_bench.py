import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lookalike.command import bench
from tests.command.conftest import Run

_SCRIPT = """
import json
print(json.dumps({{
    "bench": "{name}",
    "machine": {{"processor": "Quick 9"}},
    "claims": [{{"name": "{name} is quick", "value": {value}, "bound": "at least",
                 "target": 4, "unit": "times", "held": {value} >= 4}}],
    "details": {{"rounds": 1}},
}}))
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose benchmarks take no time: the folder of its scripts."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "claims.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(bench, "find_spec", lambda _: _Found([str(folder)]))
    return folder


class _Found:
    def __init__(self, folders: list[str]) -> None:
        self.submodule_search_locations = folders


def script(folder: Path, name: str, value: int) -> None:
    (folder / f"{name}.py").write_text(_SCRIPT.format(name=name, value=value))


def told(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)
    return found


def test_one_benchmark_is_told_as_it_told_itself(alone: Run, checkout: Path) -> None:
    script(checkout, "embed", 5)
    done = alone("bench", "embed", "--json")
    assert done.code == 0
    assert told(done.out)["details"] == {"rounds": 1}
    assert told(done.out)["bench"] == "embed"


def test_what_was_measured_side_by_side_is_a_table_of_its_own(alone: Run, checkout: Path) -> None:
    compared = [
        {"name": "one way", "pictures_per_second": 480.5, "note": ""},
        {"name": "another", "pictures_per_second": None, "note": "not installed"},
    ]
    machine, details = {"processor": "Quick 9"}, {"compared": compared}
    told = {"bench": "embed", "machine": machine, "claims": [], "details": details}
    (checkout / "embed.py").write_text(f"import json; print({json.dumps(json.dumps(told))})")
    done = alone("bench", "embed")
    assert done.code == 0
    assert "Measured on Quick 9." in done.err
    for said in ("pictures per second", "one way", "480.5", "another", "not installed"):
        assert said in done.out


def test_all_claims_about_imports_are_told_as_one(alone: Run, checkout: Path) -> None:
    script(checkout, "import_pace", 5)
    script(checkout, "import_memory", 4)
    script(checkout, "search", 1)
    done = alone("bench", "import", "--json")
    assert done.code == 0
    found = told(done.out)
    assert [claim["name"] for claim in found["claims"]] == [
        "import_memory is quick",
        "import_pace is quick",
    ]
    assert set(found["details"]) == {"import_memory", "import_pace"}


def test_a_claim_that_does_not_hold_is_told_by_the_exit_code(alone: Run, checkout: Path) -> None:
    script(checkout, "import_pace", 5)
    script(checkout, "import_memory", 3)
    done = alone("bench", "import")
    assert done.code == 3
    assert "import_memory is quick\t3 times\t≥ 4 times\tNOT HELD" in done.out
    assert "import_pace is quick\t5 times\t≥ 4 times\theld" in done.out


def test_a_benchmark_that_fails_leaves_what_the_others_found(alone: Run, checkout: Path) -> None:
    script(checkout, "import_pace", 5)
    (checkout / "import_memory.py").write_text("raise SystemExit('There is no Redis here.')")
    done = alone("bench", "import", "--json")
    assert done.code == 1
    assert [claim["held"] for claim in told(done.out)["claims"]] == [True]
    assert "import_memory failed" in done.err


def test_without_a_checkout_it_says_where_to_run_it(
    alone: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda _: None)
    done = alone("bench", "embed")
    assert done.code == 1
    assert "checkout" in done.err
