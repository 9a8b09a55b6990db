"""Runs the benchmarks and rewrites their tables: `python -m benchmarks.report [--quick] [NAME ...]`.

The tables of docs/benchmarks.md stand between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; everything
else on the page is left as it is. A benchmark that has no place there gets a section at the end.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.claims import options

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
SCRIPTS = (
    "embed",
    "blend",
    "sample",
    "import_pace",
    "import_workers",
    "import_memory",
    "import_again",
    "import_growth",
    "import_distributed",
    "import_duplicates",
    "merging",
    "catalogue",
    "search",
    "segment_search",
    "demo_search",
    "gateway",
    "freshness",
    "transport",
    "distributed",
)
Result = dict[str, Any]


def ran(name: str, *, quick: bool) -> Result | None:
    """What the benchmark printed; None when it failed, and its complaint is on standard error."""
    _say(f"{name} …")
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    _say(f"{name}: {'done' if not done.returncode else 'failed'}, {_since(begun):.0f} s")
    return None if done.returncode else json.loads(done.stdout)


def table(result: Result, day: date) -> str:
    """The claims of one run, with the processor, the load and the day they were measured on.

    What it compared stands above them, where its details have `compared`.
    """
    machine = result["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}"
    return "\n".join(
        (
            *_compared(result["details"].get("compared", [])),
            "| claim | measured | target | held |",
            "|---|---|---|---|",
            *(_line(claim) for claim in result["claims"]),
            "",
            f"{where}, {day.isoformat()}: `python -m benchmarks.{result['bench']}`",
        )
    )


def rewritten(page: str, name: str, body: str) -> str:
    """The page with this body between the marks of that name."""
    opening, closing = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    section = f"{opening}\n{body}\n{closing}"
    before, found, rest = page.partition(opening)
    if not found:
        return f"{page.rstrip()}\n\n## {name}\n\n{section}\n".lstrip()
    _, closed, after = rest.partition(closing)
    if not closed:
        raise SystemExit(f"{opening} is never closed: put {closing} where its table ends.")
    return before + section + after


def _line(claim: dict[str, Any]) -> str:
    bound = "≥" if claim["bound"] == "at least" else "≤"
    figures = f"{claim['value']:,g} {claim['unit']} | {bound} {claim['target']:,g} {claim['unit']}"
    return f"| {claim['name']} | {figures} | {'yes' if claim['held'] else '**no**'} |"


def _compared(rows: list[dict[str, Any]]) -> list[str]:
    """A line for each of the rows, whose keys are the columns; an empty one parts it from what follows."""
    if not rows:
        return []
    columns = [name.replace("_", " ") for name in rows[0]]
    lines = [
        columns,
        ["---"] * len(columns),
        *([_cell(one) for one in row.values()] for row in rows),
    ]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {figure:g}" for name, figure in value.items())
    return f"{value:,g}" if isinstance(value, float) else str("" if value is None else value)


def report(names: Iterable[str], page: Path, *, quick: bool) -> int:
    """The page is rewritten after each of them; how many failed."""
    failed = 0
    for name in names:
        result = ran(name, quick=quick)
        if result is None:
            failed += 1
            continue
        text = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
        body = table(result, datetime.now(UTC).date())
        page.write_text(rewritten(text, name, body), encoding="utf-8")
    return failed


def _since(begun: float) -> float:
    return time.perf_counter() - begun


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCRIPTS)}")
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(SCRIPTS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    sys.exit(min(1, report(asked.names or SCRIPTS, asked.page, quick=asked.quick)))


if __name__ == "__main__":
    main()
