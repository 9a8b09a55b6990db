"""What the pages name is there: files, headings, targets of make, sub-commands, settings, tests."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from lookalike.command.app import app
from services.gateway.settings import GatewaySettings
from shared.runtime.settings import Installation, Settings

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PLAIN_COMMANDS = {"demo", "search", "embed", "doctor", "reembed"}
"""Those without sub-commands: what follows them is an argument."""
_LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_MAKE = re.compile(r"(?:^|`)make ([a-z][a-z-]*)", re.MULTILINE)
_COMMAND = re.compile(r"(?:^|`)lookalike ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", re.MULTILINE)
_TEST = re.compile(r"\(\.\./(tests/[^)]+\.py)\) `(test_\w+)`")
_MARK = re.compile(r"<!-- (/?)bench:(\w+) -->")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """Headings as links name them: lower case, without punctuation, with hyphens."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


@every_page
def test_every_make_target_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_MAKE.findall(page.read_text(encoding="utf-8"))) <= targets


def commands() -> Iterator[tuple[str, ...]]:
    """Every `lookalike …` that stands at the beginning of a line or of a piece of code."""
    for page in PAGES:
        for command, sub in _COMMAND.findall(page.read_text(encoding="utf-8")):
            yield (command, sub) if sub and command not in PLAIN_COMMANDS else (command,)


@pytest.mark.parametrize("command", sorted(set(commands())), ids=" ".join)
def test_every_command_is_there(command: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(app, [*command, "--help"])
    assert answer.exit_code == 0, answer.output


def test_the_readme_shows_most_of_the_command() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined] # a group
    assert (
        {"demo", "search", "product", "import"} <= {command[0] for command in commands()} <= known
    )


@pytest.mark.parametrize("settings", [GatewaySettings, Installation])
def test_every_setting_is_told(settings: type[Settings]) -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    prefix = settings.model_config["env_prefix"]
    names = {f"{prefix}{field}".upper() for field in settings.model_fields}
    assert {name for name in names if f"`{name}`" not in told} == set()


def test_every_setting_that_is_told_is_there() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(LOOKALIKE_\w+)`", told, re.MULTILINE))
    assert rows == {
        f"{settings.model_config['env_prefix']}{field}".upper()
        for settings in (GatewaySettings, Installation)
        for field in settings.model_fields
    }


def test_every_fault_has_a_row_and_its_tests_are_there() -> None:
    page = (ROOT / "docs" / "resiliency.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| F(\d+) \|", page, re.MULTILINE)
    assert rows == [str(number) for number in range(1, 26)]
    for path, name in _TEST.findall(page):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name


def test_the_marks_of_benchmarks_are_pairs_with_a_script_each() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    marks = _MARK.findall(page)
    assert marks
    for (opens, name), (closes, again) in list(pairwise(marks))[::2]:
        assert (opens, closes, again) == ("", "/", name)
        assert (ROOT / "benchmarks" / f"{name}.py").exists()
