"""An import watched until it is done: one live line, and at the end what became of the records."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import typer

from lookalike.command.faults import FAILED
from lookalike.command.live import live
from lookalike.command.output import PARTLY, complain, say, say_json, say_table

if TYPE_CHECKING:
    from lookalike.client import Lookalike
    from lookalike.client.answers import Import

_SHOWN_LETTERS: Final = 10


def watch(shop: "Lookalike", import_id: str, *, as_json: bool) -> None:
    """Exits 3 when a part failed, 1 when all did."""
    try:
        with live("importing", lambda job: line(job.progress), _counted) as show:
            shop.wait(import_id, progress=show)
    except KeyboardInterrupt:
        complain(f"The import goes on without you: lookalike import watch {import_id}")
        raise
    ended = shop.import_status(import_id)
    if as_json:
        say_json(ended)
    else:
        _sum_up(shop, ended)
    if ended.state == "succeeded":
        return
    if ended.detail:
        complain(ended.detail)
    raise typer.Exit(PARTLY if ended.state == "partially_succeeded" else FAILED)


def line(progress: Mapping[str, Any]) -> str:
    """Such as `640 of 6,400 records, 812/s, 7 s to go, 6 failed`."""
    rate, left = progress.get("records_per_second"), progress.get("eta_seconds")
    parts = [f"{progress['read']:,} of {progress['records']:,} records"]
    if rate:
        parts.append(f"{rate:,.0f}/s")
    if left is not None:
        parts.append(f"{_duration(left)} to go")
    if progress.get("failed"):
        parts.append(f"{progress['failed']:,} failed")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def _counted(progress: Mapping[str, Any]) -> tuple[int, int | None]:
    return progress["read"], progress["records"] or None


def _sum_up(shop: "Lookalike", ended: "Import") -> None:
    findings = {name: said for name, said in ended.findings.items() if name != "categories"}
    say(
        {
            "import": ended.import_id,
            "state": f"{ended.state}, nothing was written" if ended.dry_run else ended.state,
            **asdict(ended.counters),
            **findings,
        },
        as_json=False,
    )
    if ended.findings.get("categories"):
        say_table(("category", "products"), ended.findings["categories"])
    if ended.counters.failed:
        _tell_failures(shop, ended)


def _tell_failures(shop: "Lookalike", ended: "Import") -> None:
    if ended.dry_run:
        page = shop.dead_letters(import_id=ended.import_id, limit=_SHOWN_LETTERS)
        say_table(("offset", "reason"), [(one.offset, one.detail) for one in page.dead_letters])
    complain(
        f"{ended.counters.failed:,} failed; with the reason each: "
        f"lookalike dead list --import {ended.import_id}"
    )
