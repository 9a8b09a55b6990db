"""A job of the server as it goes on: one live line for people, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from lookalike.command.output import complain

if TYPE_CHECKING:
    from lookalike.client.answers import Job

_LINES_APART_S: Final = 10.0

Show = Callable[["Job"], None]
"""Told a job as it is by now."""
Line = Callable[["Job"], str]
Counted = Callable[[Mapping[str, Any]], tuple[int, int | None]]
"""Of a job's progress: how much is done, and of how much."""


@contextmanager
def live(title: str, line: Line, counted: Counted) -> Iterator[Show]:
    """A bar on a terminal, elsewhere a line a stage and every ten seconds; always on standard error."""
    if not sys.stderr.isatty():
        complain(f"{title} …")
        yield _lines(line)
        return
    from rich.console import Console  # noqa: PLC0415 - only people wait for it
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=None)

        def show(job: "Job") -> None:
            done, of = counted(job.progress)
            bars.update(task, description=line(job), completed=done, total=of)

        yield show


def _lines(line: Line) -> Show:
    said_at, stage = time.monotonic(), None

    def show(job: "Job") -> None:
        nonlocal said_at, stage
        now, at = time.monotonic(), job.progress.get("stage")
        if at != stage or now - said_at >= _LINES_APART_S:
            said_at, stage = now, at
            complain(line(job))

    return show
