"""What the command says: JSON for machines, tables and bars for people, plain lines elsewhere."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

PARTLY = 3
"""Exit code: some of it was done, and what was not is told on standard error."""

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

Tell = Callable[[int, int | None], None]
"""Told how much is done, and of how much."""


def say_json(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")


def complain(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


@contextmanager
def progress(step: str) -> Iterator[Tell]:
    """A bar on a terminal, one line elsewhere; always on standard error."""
    if not sys.stderr.isatty():
        complain(f"{step} …")
        yield lambda _done, _total: None
        return
    from rich.console import Console  # noqa: PLC0415 - only people wait for it
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(step, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
