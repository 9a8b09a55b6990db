"""Takes each named rule out of a copy of the code and sees that its tests go red.

    python -m tests.protocols.ablation [RULE…]     the proof: a line for each place of a rule
    python -m tests.protocols.ablation --page      writes docs/rules.md

`rules.toml` beside this module says what is taken away and which tests must notice.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "rules.md"
_HEAD: Final = """\
# The rules of the protocols, and what notices when one is gone

`python -m tests.protocols.ablation` takes each away in a copy of the code, at every place where it
lives, and runs these tests: all of them fail then, and pass otherwise. `--page` writes this page.

| rule | lives in | goes red without it |
|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Removal:
    """One place of a rule: the text that is the rule, the text without it, and who must notice."""

    rule: str
    file: str
    old: str
    new: str
    red: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    removal: Removal
    stayed_green: tuple[str, ...]
    seconds: float


def removals() -> tuple[Removal, ...]:
    return tuple(Removal(**{**said, "red": tuple(said["red"])}) for said in _said()["removal"])


def rules() -> tuple[str, ...]:
    """Every rule that the protocols have a name for."""
    return tuple(_said()["rules"])


def elsewhere() -> dict[str, str]:
    """Rules with nothing to take away here, and why."""
    return dict(_said()["elsewhere"])


def prove(chosen: Sequence[Removal]) -> Iterator[Verdict]:
    """Takes these away, one after the other, in a copy where all of their tests were green."""
    with tempfile.TemporaryDirectory(prefix="without-a-rule-") as folder:
        copy = Path(folder).resolve()
        _copy_tree(copy)
        _insist_on_own_modules(copy)
        _insist_on_green(copy, tuple(dict.fromkeys(test for r in chosen for test in r.red)))
        for removal in chosen:
            yield _without(removal, copy)


def place(removal: Removal) -> str:
    """The innermost class and function that hold the rule, as `file:Class.function`."""
    source = (ROOT / removal.file).read_text(encoding="utf-8")
    # The text may begin in the line above the function's first one.
    start = source.index(removal.old) + len(removal.old) - len(removal.old.lstrip())
    line = source.count("\n", 0, start) + 1
    return f"{removal.file}:{'.'.join(_names(ast.parse(source), line))}"


def page() -> str:
    """Where each rule lives and what goes red without it, as Markdown."""
    names = rules()
    lines = [_HEAD]
    for removal in sorted(removals(), key=lambda removal: names.index(removal.rule)):
        tests = "<br>".join(f"`{test}`" for test in removal.red)
        lines.append(f"| {removal.rule} | `{place(removal)}` | {tests} |")
    lines += [f"| {rule} | | {reason} |" for rule, reason in elsewhere().items()]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--page"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if unknown := set(arguments) - set(rules()):
        sys.stderr.write(f"No such rule: {', '.join(sorted(unknown))}.\n")
        return 2
    chosen = [r for r in removals() if not arguments or r.rule in arguments]
    survived = 0
    for verdict in prove(chosen):
        sys.stdout.write(_line(verdict))
        sys.stdout.flush()
        survived += bool(verdict.stayed_green)
    sys.stdout.write(f"{len(chosen)} removals, {survived} not noticed\n")
    return 1 if survived else 0


def _said() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))


def _copy_tree(copy: Path) -> None:
    """What git knows or would know, as it lies there now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    # Servers that were brought here serve the copy's tests as well.
    (copy / ".servers").symlink_to(ROOT / ".servers")


def _insist_on_own_modules(copy: Path) -> None:
    """An editable install points to the original; were that imported, nothing would be proved."""
    ask = (
        "import services, shared, tests.protocols.ablation as a; print(shared.__file__, a.__file__)"
    )
    found = _python(copy, "-c", ask).stdout.split()
    if not found or not all(Path(file).is_relative_to(copy) for file in found):
        raise RuntimeError(f"The copy in {copy} would not be what is tested, but {found}.")


def _insist_on_green(copy: Path, tests: Sequence[str]) -> None:
    done = _pytest(copy, tests)
    if done.returncode:
        raise RuntimeError(
            f"With every rule in place tests are red already:\n{done.stdout[-4000:]}"
        )


def _without(removal: Removal, copy: Path) -> Verdict:
    file = copy / removal.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(removal.old) != 1:
        raise RuntimeError(f"{removal.rule}: its text is not in {removal.file} exactly once.")
    began = time.monotonic()
    file.write_text(whole.replace(removal.old, removal.new), encoding="utf-8")
    try:
        said = _pytest(copy, removal.red).stdout
    finally:
        file.write_text(whole, encoding="utf-8")
    failed = [line for line in said.splitlines() if line.startswith("FAILED ")]
    green = [test for test in removal.red if not any(_is_of(line, test) for line in failed)]
    return Verdict(removal, tuple(green), time.monotonic() - began)


def _is_of(line: str, test: str) -> bool:
    """A test with parameters has failed when it failed with some of them."""
    return line.removeprefix("FAILED ").partition(" ")[0].partition("[")[0] == test


def _pytest(copy: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    quiet = ("-q", "--tb=no", "-p", "no:cacheprovider", "--rootdir", str(copy))
    return _python(copy, "-m", "pytest", *quiet, *tests)


def _python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """This interpreter in the copy. Without bytecode: a patch may have the date of what it replaces."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )


def _names(tree: ast.AST, line: int) -> list[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            if node.lineno <= line <= (node.end_lineno or 0):
                return [node.name, *_names(node, line)]
        elif found := _names(node, line):
            return found
    return []


def _line(verdict: Verdict) -> str:
    removal = verdict.removal
    red = [test.partition("::")[2] for test in removal.red if test not in verdict.stayed_green]
    green = [f"STAYED GREEN: {test}" for test in verdict.stayed_green]
    return f"{removal.rule} | {', '.join([*red, *green])} | {verdict.seconds:.1f} s\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
