"""What the command says: JSON for machines, tables and bars for people, plain lines elsewhere."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import typer

PARTLY = 3
"""Exit code: some of it was done, and what was not is told."""

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

Tell = Callable[[int, int | None], None]
"""Told how much is done, and of how much."""

_LINES_APART_S = 10.0


def say_json(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=_plain) + "\n")


def say(answer: Any, *, as_json: bool) -> None:
    """One thing, a line a field; fields that say nothing are left out for people."""
    if as_json:
        say_json(answer)
        return
    stated = asdict(answer) if is_dataclass(answer) and not isinstance(answer, type) else answer
    rows = [(name, spelled(value)) for name, value in stated.items()]
    _say_rows((), [row for row in rows if row[1]])


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """For people alone."""
    _say_rows(columns, [[spelled(cell) for cell in row] for row in rows])


def complain(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


@contextmanager
def progress(step: str, *, is_bytes: bool = False, unit: str = "") -> Iterator[Tell]:
    """A bar on a terminal, one line elsewhere; always on standard error.

    With a `unit`, which makes it something long, its rate is told too, and elsewhere a line is said
    every ten seconds.
    """
    pace = _Pace(unit)
    if not sys.stderr.isatty():
        complain(f"{step} …")
        yield partial(pace.say, step) if unit else lambda _done, _total: None
        return
    from rich.console import Console  # noqa: PLC0415 - only people wait for it
    from rich.progress import DownloadColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (
        *Progress.get_default_columns(),
        *((DownloadColumn(),) if is_bytes else ()),
        *((TextColumn("{task.fields[rate]}"),) if unit else ()),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(step, total=None, rate="")
        yield lambda done, total: bars.update(
            task, completed=done, total=total, rate=pace.rate(done)
        )


class _Pace:
    """How fast something goes, measured from the first time that it is told how much is done."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._first: tuple[float, int] | None = None
        self._said_at = time.monotonic()

    def rate(self, done: int) -> str:
        return f"{self._per_s(done):,.0f} {self._unit}/s"

    def say(self, step: str, done: int, total: int | None) -> None:
        """One line, unless the last was said within ten seconds."""
        per_s, now = self._per_s(done), time.monotonic()
        if not per_s or now - self._said_at < _LINES_APART_S:
            return
        self._said_at = now
        left = f", {(total - done) / per_s / 60:,.1f} minutes to go" if total else ""
        of = f" of {total:,}" if total else ""
        complain(f"{step}: {done:,}{of} {self._unit}, {self.rate(done)}{left}")

    def _per_s(self, done: int) -> float:
        now = time.monotonic()
        started, before = self._first = self._first or (now, done)
        return (done - before) / (now - started) if now > started else 0.0


def spelled(value: object) -> str:
    """A value for people's eyes, on one line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case Mapping():
            parts = [f"{name} {spelled(inner)}" for name, inner in value.items()]
        case list() | tuple():
            parts = [spelled(inner) for inner in value]
        case _:
            parts = [str(value)]
    return ", ".join(parts)


def _say_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not sys.stdout.isatty():
        lines = ["\t".join(row) for row in ([columns] if columns else []) + list(rows)]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        return
    from rich.console import Console  # noqa: PLC0415 - only people wait for it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, show_header=bool(columns), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{value!r} has no JSON")
