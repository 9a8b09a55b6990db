"""`lookalike bench`: what this machine reaches, and whether every claim holds on it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lookalike.command.faults import FAILED
from lookalike.command.output import PARTLY, Json, complain, say_json, say_table
from shared.errors import NotFound

Bench = Literal["embed", "import", "search", "http"]
_SCRIPTS: dict[Bench, str] = {
    "embed": "embed",
    "import": "import_*",
    "search": "search",
    "http": "gateway",
}
_BOUNDS = {"at least": "≥", "at most": "≤"}


@dataclass(frozen=True, slots=True)
class _Result:
    """What one script printed; None where it failed, and standard error says how."""

    script: str
    printed: dict[str, Any] | None


def bench(
    name: Annotated[Bench, typer.Argument(metavar="NAME", help="embed, import, search or http.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="A small run that proves nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure claims on this machine; exit 3 when some were not held. Wants a source checkout."""
    results = list(_ran(_checkout(), name, quick=quick))
    printed = [result.printed for result in results if result.printed is not None]
    claims = [claim for one in printed for claim in one["claims"]]
    if as_json and printed:
        details = {one["bench"]: one["details"] for one in printed}
        joined = {"bench": name, "machine": printed[-1]["machine"], "claims": claims}
        say_json(joined | {"details": details if len(results) > 1 else printed[0]["details"]})
    elif printed:
        for one in printed:
            _say_compared(one["details"].get("compared", []))
        say_table(("claim", "measured", "target", "held"), [_row(claim) for claim in claims])
        complain(f"Measured on {printed[-1]['machine']['processor']}.")
    if len(printed) < len(results):
        raise typer.Exit(FAILED)
    if not all(claim["held"] for claim in claims):
        raise typer.Exit(PARTLY)


def _checkout() -> Path:
    """The folder of the scripts, which no installed package brings."""
    found = find_spec("benchmarks")
    for place in found.submodule_search_locations or () if found else ():
        if (Path(place) / "claims.py").is_file():
            return Path(place)
    raise NotFound(
        "The benchmarks are not installed with Lookalike: run this in a checkout of its source.",
        code="no_benchmarks",
    )


def _ran(folder: Path, name: Bench, *, quick: bool) -> Iterator[_Result]:
    for script in sorted(path.stem for path in folder.glob(f"{_SCRIPTS[name]}.py")):
        complain(f"{script} …")
        command = [sys.executable, "-m", f"benchmarks.{script}", *(["--quick"] if quick else [])]
        done = subprocess.run(command, cwd=folder.parent, stdout=subprocess.PIPE, check=False)
        yield _Result(script, None if done.returncode else json.loads(done.stdout))
        if done.returncode:
            complain(f"{script} failed; its complaint stands above.")


def _say_compared(rows: Sequence[dict[str, Any]]) -> None:
    """What a script measured side by side, where it tells it in rows: their keys are the columns."""
    if rows:
        columns = [name.replace("_", " ") for name in rows[0]]
        say_table(columns, [list(row.values()) for row in rows])


def _row(claim: dict[str, Any]) -> Sequence[object]:
    unit, bound = claim["unit"], _BOUNDS[claim["bound"]]
    held = "held" if claim["held"] else "NOT HELD"
    return (
        claim["name"],
        f"{claim['value']:,g} {unit}",
        f"{bound} {claim['target']:,g} {unit}",
        held,
    )
