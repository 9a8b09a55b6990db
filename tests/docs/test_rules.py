"""The table of rules in ARCHITECTURE.md against the comments `# rule: NAME` in the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("services", "shared", "lookalike")
_ROW = re.compile(r"^\| \*(?P<rule>\w+)\* \|(?P<says>[^|]+)\|(?P<code>[^|]+)\|(?P<test>[^|]+)\|$")
_PLACE = re.compile(r"\[[^\]]+\]\((?P<path>[^)]+)\)(?: `(?P<name>[\w.]+)`)?")
_COMMENT = re.compile(r"# rule: (\w+)")

Places = set[tuple[str, str, str]]
"""(rule, path, function), where a function may be empty: then the rule holds for the whole module."""


def rows() -> list[re.Match[str]]:
    lines = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    return [row for line in lines if (row := _ROW.match(line))]


def told(column: str) -> Places:
    return {
        (row["rule"], place["path"], place["name"] or "")
        for row in rows()
        for place in _PLACE.finditer(row[column])
    }


def commented() -> Iterator[tuple[str, str, str]]:
    for path in (path for folder in CODE for path in (ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not _COMMENT.search(text):
            continue
        tree = ast.parse(text)
        for number, line in enumerate(text.splitlines(), 1):
            for name in _COMMENT.findall(line):
                yield name, path.relative_to(ROOT).as_posix(), _function(tree, number)


def _function(tree: ast.Module, line: int) -> str:
    """The outermost one around a line, with its class."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and _around(inner, line):
                    return f"{node.name}.{inner.name}"
        elif isinstance(node, ast.FunctionDef) and _around(node, line):
            return node.name
    return ""


def _around(node: ast.FunctionDef, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def test_every_rule_is_told_with_the_places_where_it_lives() -> None:
    found = set(commented())
    assert found
    assert told("code") == found


def test_every_rule_has_one_row() -> None:
    names = [row["rule"] for row in rows()]
    assert sorted(names) == sorted(set(names))


def test_every_rule_names_a_test_that_is_there() -> None:
    named = told("test")
    assert {rule for rule, _, _ in named} == {row["rule"] for row in rows()}
    for rule, path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), rule
